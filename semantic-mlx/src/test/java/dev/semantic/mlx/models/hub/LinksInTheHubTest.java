package dev.semantic.mlx.models.hub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.semantic.io.DurableFiles;
import dev.semantic.io.PathLock;
import dev.semantic.io.PrivateFiles;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A hub's cache may be shared with others, who know the names of what is written next: no link in
 * the place of one leads us to write elsewhere.
 */
@EnabledOnOs({OS.LINUX, OS.MAC})
class LinksInTheHubTest extends HubTest {
  private Path mine() throws IOException {
    return Files.writeString(home.resolve("mine"), "precious");
  }

  private void lay(Path link) throws IOException {
    Files.createDirectories(link.getParent());
    Files.createSymbolicLink(link, mine());
  }

  @ParameterizedTest
  @ValueSource(strings = {"part", "lock", "ref"})
  void aLinkWhereAFileIsToBeWrittenIsNotFollowed(String which) throws Exception {
    aModel();
    lay(
        switch (which) {
          case "part" ->
              cache
                  .blobs(FakeHub.ID)
                  .resolve(hub.etag("model.safetensors") + ".semantic.incomplete");
          case "lock" -> cache.lock(FakeHub.ID);
          default -> cache.repository(FakeHub.ID).resolve("refs/main.new");
        });
    IOException refused = assertThrows(IOException.class, () -> fetch("org/model"));
    assertTrue(refused.toString().contains("it is a link"), refused::toString);
    assertEquals("precious", Files.readString(home.resolve("mine")));
  }

  /** What notes down how far a file has come costs nothing if it cannot be written. */
  @Test
  void aLinkInThePlaceOfNotesIsNotFollowed() throws Exception {
    aModel();
    lay(cache.blobs(FakeHub.ID).resolve(hub.etag("model.safetensors") + ".semantic.ranges.new"));
    fetch("org/model");
    assertEquals("precious", Files.readString(home.resolve("mine")));
  }

  @Test
  void nobodyElseMayWriteToWhatIsFetched() throws Exception {
    aModel();
    fetch("org/model");
    try (Stream<Path> all = Files.walk(cache.root())) {
      for (Path path : all.filter(each -> !Files.isSymbolicLink(each)).toList()) {
        Set<PosixFilePermission> mode =
            Files.getPosixFilePermissions(path, LinkOption.NOFOLLOW_LINKS);
        assertTrue(
            !mode.contains(PosixFilePermission.GROUP_WRITE)
                && !mode.contains(PosixFilePermission.OTHERS_WRITE),
            () -> path + " " + mode);
      }
    }
  }

  @Test
  void aLockThatIsALinkIsNotOpened() throws IOException {
    Path lock = home.resolve("x.lock");
    Files.createSymbolicLink(lock, mine());
    assertThrows(FileSystemException.class, () -> PathLock.acquire(lock).close());
  }

  /** Only root can give a directory away. */
  @Test
  void aDirectoryOfAnotherUserHoldsNothingOfOurs() throws IOException {
    Path directory = Files.createDirectory(home.resolve("theirs"), PrivateFiles.ofDirectory(home));
    assumeTrue(
        ((Number) Files.getAttribute(directory, "unix:uid")).intValue() == 0,
        "SKIPPED: only root can make a directory another user's");
    Files.setAttribute(directory, "unix:uid", 54321);
    IOException refused =
        assertThrows(IOException.class, () -> DurableFiles.createPrivate(directory));
    assertTrue(refused.toString().contains("belongs to user 54321"), refused::toString);
  }
}
