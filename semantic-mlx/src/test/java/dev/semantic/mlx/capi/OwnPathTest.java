package dev.semantic.mlx.capi;

import static dev.semantic.mlx.testing.Refusal.assertRefused;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

@EnabledOnOs({OS.LINUX, OS.MAC})
class OwnPathTest {
  @TempDir Path root;
  private Path file;

  @BeforeEach
  void aFile() throws IOException {
    file = root.resolve("a/b/file");
    Files.createDirectories(file.getParent());
    Files.writeString(file, "");
  }

  @Test
  void whatIsOursIsFine() {
    assertDoesNotThrow(() -> OwnPath.claim(root, file));
  }

  @Test
  void theRootMayBeReachedByALinkNothingBelowIt() throws IOException {
    Path link = Files.createSymbolicLink(root.resolve("link"), root.resolve("a"));
    assertDoesNotThrow(() -> OwnPath.claim(link, link.resolve("b/file")));
    assertRefused(
        FileSystemException.class,
        () -> OwnPath.claim(root, link.resolve("b/file")),
        link.toString());
  }

  @Test
  void aRootThatEverybodyMayWriteIsNoLongerSo() throws IOException {
    Files.setPosixFilePermissions(root, PosixFilePermissions.fromString("rwxrwxrwx"));
    OwnPath.claim(root, file);
    assertEquals("rwxrwxr-x", PosixFilePermissions.toString(Files.getPosixFilePermissions(root)));
  }

  /** Only root can give a file away. */
  @Test
  void whatIsAnothersIsRefusedWhereverItLies() throws IOException {
    assumeTrue(((Number) Files.getAttribute(root, "unix:uid")).intValue() == 0);
    for (Path path : List.of(file, root.resolve("a"), root)) {
      Files.setAttribute(path, "unix:uid", 4242);
      assertRefused(
          FileSystemException.class, () -> OwnPath.claim(root, file), path.toString(), "4242");
      Files.setAttribute(path, "unix:uid", 0);
    }
    assertDoesNotThrow(() -> OwnPath.claim(root, file));
  }
}
