package dev.semantic.examples.demo;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** A temporary directory for the agents' caches and for files that are damaged on purpose. */
record Workplace(Path root) implements AutoCloseable {
  static Workplace create() throws IOException {
    return new Workplace(Files.createTempDirectory("semantic-demo-"));
  }

  Path caches() {
    return root.resolve("caches");
  }

  /** A copy that ends in the middle. */
  Path truncatedCopy(Path model) throws IOException {
    Path target = root.resolve("truncated.gguf");
    try (FileChannel from = FileChannel.open(model);
        FileChannel to =
            FileChannel.open(target, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      long half = from.size() / 2;
      for (long at = 0; at < half; ) {
        at += from.transferTo(at, half - at, to);
      }
    }
    return target;
  }

  Path copy(Path model) throws IOException {
    return Files.copy(model, root.resolve("changing.gguf"));
  }

  @Override
  public void close() throws IOException {
    List<Path> all;
    try (Stream<Path> files = Files.walk(root)) {
      all = files.sorted(Comparator.reverseOrder()).toList();
    }
    for (Path file : all) {
      Files.delete(file);
    }
  }
}
