package dev.semantic.io;

import static dev.semantic.scripted.ScriptedHost.assertSays;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.semantic.journal.FileSwapJournal;
import dev.semantic.journal.SwapEntry;
import dev.semantic.kv.AgentId;
import dev.semantic.kv.KvSnapshot;
import dev.semantic.store.AgentRecords;
import dev.semantic.store.CacheException;
import dev.semantic.store.DiskCacheStore;
import dev.semantic.store.Snapshots;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What another user of the machine laid out before us harms nothing of ours. */
class OtherUsersTest {
  private static final SwapEntry SWAP =
      new SwapEntry("1", Instant.EPOCH, Optional.empty(), Optional.empty());

  @TempDir Path directory;

  @BeforeEach
  void knowsOwners() {
    assumeTrue(PrivateFiles.isPosix(directory), "no owners and modes on this file system");
  }

  private Path mine() throws IOException {
    return Files.writeString(directory.resolve("mine"), "precious");
  }

  @Test
  void aLockThatIsALinkEmptiesNothing() throws IOException {
    Path root = Files.createDirectory(directory.resolve("root"));
    Files.createSymbolicLink(root.resolve(".lock"), mine());
    var refused = assertThrows(CacheException.class, () -> DiskCacheStore.open(root));
    assertSays("is a link", refused);
    assertEquals("precious", Files.readString(mine()));
  }

  @Test
  void aJournalThatIsALinkEmptiesNothing() throws IOException {
    Path file = directory.resolve("swap.journal");
    Files.createSymbolicLink(file, mine());
    try (FileSwapJournal journal = FileSwapJournal.open(file)) {
      assertTrue(journal.interrupted().isEmpty());
      journal.begun(SWAP);
      journal.ended();
    }
    assertEquals("precious", Files.readString(directory.resolve("mine")));
  }

  @Test
  void onlyItsOwnerReadsAJournal() throws IOException {
    Path file = directory.resolve("swap.journal");
    try (FileSwapJournal journal = FileSwapJournal.open(file)) {
      journal.begun(SWAP);
    }
    assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
    assertEquals(SWAP, FileSwapJournal.open(file).interrupted().orElseThrow().swap());
  }

  @ParameterizedTest
  @ValueSource(strings = {"rwxrwx---", "rwxr-xrwx", "rwxrwxrwx"})
  void aJournalInADirectoryThatOthersMayWriteToIsRefusedWithTheRemedy(String mode)
      throws IOException {
    Path root = Files.createDirectory(directory.resolve("root"));
    Path file = root.resolve("swap.journal");
    Files.setPosixFilePermissions(root, PosixFilePermissions.fromString(mode));
    var refused = assertThrows(UncheckedIOException.class, () -> FileSwapJournal.open(file));
    assertSays("chmod go-w " + root, refused);
    Files.setPosixFilePermissions(root, PosixFilePermissions.fromString("rwxr-xr-x"));
    FileSwapJournal.open(file).close();
  }

  @Test
  void aJournalInAnotherUsersDirectoryIsRefused() throws IOException {
    Path root = Files.createDirectory(directory.resolve("root"));
    assumeTrue(
        "root".equals(System.getProperty("user.name")),
        "SKIPPED: only root can give a directory away");
    Files.setAttribute(root, "unix:uid", 54321);
    var refused =
        assertThrows(
            UncheckedIOException.class, () -> FileSwapJournal.open(root.resolve("swap.journal")));
    assertSays("it belongs to 54321", refused);
  }

  @ParameterizedTest
  @ValueSource(strings = {"rwxrwx---", "rwxr-xrwx", "rwxrwxrwx"})
  void aRootThatOthersMayWriteToIsRefusedWithTheRemedy(String mode) throws IOException {
    Path root = Files.createDirectory(directory.resolve("root"));
    Files.setPosixFilePermissions(root, PosixFilePermissions.fromString(mode));
    var refused = assertThrows(CacheException.class, () -> DiskCacheStore.open(root));
    assertSays("chmod go-w " + root, refused);
    Files.setPosixFilePermissions(root, PosixFilePermissions.fromString("rwxr-xr-x"));
    DiskCacheStore.open(root).close();
  }

  @Test
  void aRootOfAnotherUserIsRefused() throws IOException {
    Path root = Files.createDirectory(directory.resolve("root"));
    assumeTrue(
        "root".equals(System.getProperty("user.name")),
        "SKIPPED: only root can give a directory away");
    Files.setAttribute(root, "unix:uid", 54321);
    var refused = assertThrows(CacheException.class, () -> DiskCacheStore.open(root));
    assertSays("it belongs to 54321", refused);
    try (var left = Files.list(root)) {
      assertEquals(0, left.count());
    }
  }

  @Test
  void whatAStoreMakesIsItsOwners() throws IOException {
    Path root = directory.resolve("a").resolve("b");
    DiskCacheStore.open(root).close();
    assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(root)));
    assertEquals(
        "rw-------",
        PosixFilePermissions.toString(Files.getPosixFilePermissions(root.resolve(".lock"))));
  }

  /** Whoever could write to the root once may have left links. */
  @Test
  void aLinkBelowTheRootIsNeitherReadNorWrittenThrough() throws IOException {
    AgentId ada = new AgentId("ada");
    Path root = directory.resolve("root");
    Path elsewhere = directory.resolve("elsewhere");
    KvSnapshot snapshot = Snapshots.small(Snapshots.ALPHA, 1);
    try (DiskCacheStore store = DiskCacheStore.open(root)) {
      store.park(ada, snapshot);
    }
    Path home = root.resolve(Snapshots.ALPHA.toString());
    Path file;
    try (var all = Files.list(home)) {
      file = all.filter(Files::isRegularFile).findFirst().orElseThrow();
    }
    Files.createDirectory(elsewhere);
    Path moved = Files.move(file, elsewhere.resolve("theirs.kv"));
    Files.createSymbolicLink(file, moved);
    try (DiskCacheStore store = DiskCacheStore.open(root)) {
      assertEquals(Optional.empty(), store.load(ada, Snapshots.ALPHA));
      store.park(ada, snapshot); // takes the link's place
      Snapshots.assertSame(snapshot, store.load(ada, Snapshots.ALPHA).orElseThrow());
    }
    assertTrue(Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS));
    Files.move(home, elsewhere.resolve("home"));
    Files.createSymbolicLink(home, elsewhere.resolve("home"));
    try (DiskCacheStore store = DiskCacheStore.open(root)) {
      var refused = assertThrows(CacheException.class, () -> store.park(ada, snapshot));
      assertSays("is a link", refused);
    }
  }

  @Test
  void conversationsOfAnotherUserAreRefused() throws IOException {
    Path conversations = Files.createDirectory(directory.resolve("conversations"));
    assumeTrue(
        "root".equals(System.getProperty("user.name")),
        "SKIPPED: only root can give a directory away");
    Files.setPosixFilePermissions(conversations, PosixFilePermissions.fromString("rwx------"));
    Files.setAttribute(conversations, "unix:uid", 54321);
    AgentRecords records = AgentRecords.in(conversations);
    AgentId ada = new AgentId("ada");
    assertSays(
        "belongs to 54321", assertThrows(CacheException.class, () -> records.write(ada, "[]")));
    assertSays("belongs to 54321", assertThrows(CacheException.class, () -> records.read(ada)));
  }
}
