package dev.semantic.store;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.extension.AnnotatedElementContext;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.io.TempDirFactory;

/** A directory in memory where the system has one, for tests that write ten thousands of files. */
final class MemoryDirectory implements TempDirFactory {
  private static final Path LINUX = Path.of("/dev/shm");

  @Override
  public Path createTempDirectory(AnnotatedElementContext element, ExtensionContext context)
      throws IOException {
    return Files.isWritable(LINUX)
        ? Files.createTempDirectory(LINUX, "semantic")
        : Files.createTempDirectory("semantic");
  }
}
