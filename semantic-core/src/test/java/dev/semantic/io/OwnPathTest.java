package dev.semantic.io;

import static dev.semantic.scripted.ScriptedHost.assertSays;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
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
    var refused =
        assertThrows(FileSystemException.class, () -> OwnPath.claim(root, link.resolve("b/file")));
    assertSays(link.toString(), refused);
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
      var refused = assertThrows(FileSystemException.class, () -> OwnPath.claim(root, file));
      assertSays(path.toString(), refused);
      assertSays("4242", refused);
      Files.setAttribute(path, "unix:uid", 0);
    }
    assertDoesNotThrow(() -> OwnPath.claim(root, file));
  }

  /** A link of ours to a disk with more room is ours; one of another user's leads anywhere. */
  @Test
  void aDirectoryMayBeReachedByALinkOfOurs() throws IOException {
    Path link = Files.createSymbolicLink(root.resolve("link"), root.resolve("a"));
    assertDoesNotThrow(() -> OwnPath.claim(link));
    assumeTrue(((Number) Files.getAttribute(root, "unix:uid")).intValue() == 0);
    Files.setAttribute(link, "unix:uid", 4242, LinkOption.NOFOLLOW_LINKS);
    assertSays(
        "belongs to user 4242", assertThrows(FileSystemException.class, () -> OwnPath.claim(link)));
  }
}
