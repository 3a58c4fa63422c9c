package dev.semantic.mlx.isolated;

import static dev.semantic.mlx.testing.Refusal.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Nobody else comes to the socket of an isolated process. */
@EnabledOnOs({OS.LINUX, OS.MAC})
class WorkerOptionsTest {
  @TempDir private Path base = Path.of("");

  @Test
  void itsDirectoryIsItsOwnersOnly() throws IOException {
    Path directory = WorkerOptions.directory(base);
    assertEquals(base, directory.getParent());
    assertEquals(
        "rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(directory)));
  }

  @Test
  void itLiesInNoDirectoryOfAnotherUser() throws IOException {
    assumeTrue(
        ((Number) Files.getAttribute(base, "unix:uid")).intValue() == 0,
        "SKIPPED: only root can give a directory away");
    Files.setAttribute(base, "unix:uid", 54321);
    assertRefused(
        FileSystemException.class, () -> WorkerOptions.directory(base), "belongs to user 54321");
  }
}
