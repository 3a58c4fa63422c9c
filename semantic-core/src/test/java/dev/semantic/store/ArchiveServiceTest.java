package dev.semantic.store;

import static dev.semantic.store.DiskCacheStoreTest.allFiles;
import static dev.semantic.store.DiskCacheStoreTest.files;
import static dev.semantic.store.Snapshots.ALPHA;
import static dev.semantic.store.Snapshots.BETA;
import static dev.semantic.store.Snapshots.assertSame;
import static dev.semantic.store.Snapshots.small;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.io.DurableFiles;
import dev.semantic.kv.AgentId;
import dev.semantic.kv.KvSnapshot;
import dev.semantic.store.format.CacheFileNames;
import dev.semantic.store.format.CacheFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What becomes of caches whose model is not the present one, and that they come back with it. */
class ArchiveServiceTest {
  private static final AgentId ANNA = new AgentId("anna");
  private static final AgentId BOB = new AgentId("bob");

  @TempDir Path root;
  private DiskCacheStore store;
  private StandardError log;

  @BeforeEach
  void open() {
    log = new StandardError();
    store = opened(InactiveModelPolicy.ARCHIVE);
  }

  private DiskCacheStore opened(InactiveModelPolicy departed) {
    return DiskCacheStore.open(
        root,
        new CacheFormat(CacheStoreContractTest.ticking(), 64, 4),
        MaintenancePolicy.DEFAULTS.withInactiveModels(departed),
        DiskSpace.OF_FILE_SYSTEM);
  }

  private void reopen(InactiveModelPolicy departed) {
    store.close();
    store = opened(departed);
  }

  @AfterEach
  void close() {
    store.close();
    log.close();
  }

  private Path live() {
    return root.resolve(ALPHA.toString());
  }

  private Path archived() {
    return root.resolve(".archive").resolve(ALPHA.toString());
  }

  @Test
  void archivedCachesComeBackWithTheirModel() {
    store.updateModelTag(ALPHA);
    store.park(ANNA, small(ALPHA, 1));
    store.park(BOB, small(ALPHA, 2));
    List<ParkedCache> before = store.parked(ALPHA);
    store.updateModelTag(BETA);
    assertTrue(store.load(ANNA, ALPHA).isPresent(), "a swap that fails now finds everything");
    store.park(ANNA, small(BETA, 3));
    assertEquals(2, store.filterCompatible());
    assertFalse(Files.exists(live()));
    assertEquals(Optional.empty(), store.load(ANNA, ALPHA));
    assertEquals(List.of(), store.parked(ALPHA));
    assertSame(small(BETA, 3), store.load(ANNA, BETA).orElseThrow());
    assertEquals(0, store.filterCompatible());
    store.updateModelTag(ALPHA);
    assertEquals(before, store.parked(ALPHA));
    assertSame(small(ALPHA, 1), store.load(ANNA, ALPHA).orElseThrow());
    assertSame(small(ALPHA, 2), store.load(BOB, ALPHA).orElseThrow());
    assertFalse(Files.exists(archived()));
    assertEquals(1, store.filterCompatible(), "the other one's turn to leave");
  }

  @Test
  void anotherProcessFindsThemInTheArchive() {
    store.park(ANNA, small(ALPHA, 1));
    store.updateModelTag(BETA);
    assertEquals(1, store.filterCompatible());
    reopen(InactiveModelPolicy.KEEP);
    assertEquals(Optional.empty(), store.load(ANNA, ALPHA));
    store.updateModelTag(ALPHA);
    assertSame(small(ALPHA, 1), store.load(ANNA, ALPHA).orElseThrow());
  }

  @Test
  void byTheUsualPolicyTheyStay() {
    reopen(MaintenancePolicy.DEFAULTS.inactiveModels());
    store.park(ANNA, small(ALPHA, 1));
    store.updateModelTag(BETA);
    assertEquals(0, store.filterCompatible());
    assertSame(small(ALPHA, 1), store.load(ANNA, ALPHA).orElseThrow());
    assertFalse(Files.exists(root.resolve(".archive")));
  }

  @Test
  void theyMayBeDeletedAndNothingElseIs() throws IOException {
    reopen(InactiveModelPolicy.DELETE);
    store.park(ANNA, small(ALPHA, 1));
    store.park(BOB, small(ALPHA, 2));
    store.park(ANNA, small(BETA, 3));
    Path foreign = Files.writeString(live().resolve("notes.txt"), "mine");
    store.updateModelTag(BETA);
    assertTrue(store.load(ANNA, ALPHA).isPresent(), "a swap that fails now finds everything");
    assertEquals(2, store.filterCompatible());
    assertEquals(Optional.empty(), store.load(ANNA, ALPHA));
    assertEquals(List.of(foreign), allFiles(live()));
    assertSame(small(BETA, 3), store.load(ANNA, BETA).orElseThrow());
    assertFalse(Files.exists(root.resolve(".archive")));
  }

  @Test
  void withoutAPresentModelNobodyLeaves() {
    store.park(ANNA, small(ALPHA, 1));
    assertEquals(0, store.filterCompatible());
    assertTrue(store.load(ANNA, ALPHA).isPresent());
  }

  @Test
  void whatWasInvalidatedIsAbsentUntilItsModelIsLoadedAnew() {
    store.updateModelTag(ALPHA);
    store.park(ANNA, small(ALPHA, 1));
    store.park(ANNA, small(BETA, 2));
    assertEquals(2, store.invalidateAll());
    assertEquals(Optional.empty(), store.load(ANNA, ALPHA));
    assertEquals(Optional.empty(), store.load(ANNA, BETA));
    assertEquals(0, store.filterCompatible());
    assertEquals(Optional.empty(), store.load(ANNA, ALPHA), "filtering brings nothing back");
    store.updateModelTag(ALPHA);
    assertSame(small(ALPHA, 1), store.load(ANNA, ALPHA).orElseThrow());
    assertEquals(Optional.empty(), store.load(ANNA, BETA));
  }

  @Test
  void invalidatingDeletesWhereThatIsThePolicy() throws IOException {
    reopen(InactiveModelPolicy.DELETE);
    store.park(ANNA, small(ALPHA, 1));
    assertEquals(1, store.invalidateAll());
    store.updateModelTag(ALPHA);
    assertEquals(Optional.empty(), store.load(ANNA, ALPHA));
    assertEquals(List.of(root.resolve(".lock")), files(root));
  }

  /** The writer was slower than the swap: both places hold caches of one model. */
  @Test
  void whatIsParkedLateMeetsWhatIsArchived() throws IOException {
    KvSnapshot anna = Snapshots.fork(small(ALPHA, 1), 4, 7);
    store.park(ANNA, small(ALPHA, 1));
    store.park(BOB, anna);
    store.updateModelTag(BETA);
    assertEquals(2, store.filterCompatible());
    store.park(ANNA, small(ALPHA, 3));
    store.updateModelTag(ALPHA);
    assertSame(small(ALPHA, 3), store.load(ANNA, ALPHA).orElseThrow());
    assertSame(anna, store.load(BOB, ALPHA).orElseThrow());
    assertFalse(Files.exists(archived()));
    assertEquals(4, allFiles(live()).size(), "two agents, two blocks");
  }

  @Test
  void theLaterOfTwoStaysInTheArchive() throws IOException {
    store.park(ANNA, small(ALPHA, 1));
    store.park(BOB, small(ALPHA, 2));
    store.updateModelTag(BETA);
    store.filterCompatible();
    store.park(ANNA, small(ALPHA, 3));
    assertEquals(1, store.filterCompatible());
    assertFalse(Files.exists(live()));
    assertEquals(4, allFiles(archived()).size(), "two agents, two blocks");
    store.updateModelTag(ALPHA);
    assertSame(small(ALPHA, 3), store.load(ANNA, ALPHA).orElseThrow());
    assertSame(small(ALPHA, 2), store.load(BOB, ALPHA).orElseThrow());
  }

  @Test
  void anOlderOneNeverReplacesALaterOne() throws IOException {
    store.park(ANNA, small(ALPHA, 1));
    Path old = root.resolve("old");
    Files.copy(CacheFileNames.file(root, ANNA, ALPHA), old);
    store.park(ANNA, small(ALPHA, 2));
    store.updateModelTag(BETA);
    store.filterCompatible();
    Files.createDirectory(live());
    Files.move(old, CacheFileNames.file(root, ANNA, ALPHA));
    store.updateModelTag(ALPHA);
    assertSame(small(ALPHA, 2), store.load(ANNA, ALPHA).orElseThrow());
  }

  @Test
  void whatWasDamagedInTheArchiveIsAMiss() throws IOException {
    store.park(ANNA, small(ALPHA, 1));
    store.park(BOB, small(ALPHA, 2));
    store.updateModelTag(BETA);
    store.filterCompatible();
    Path file = archived().resolve(CacheFileNames.file(root, ANNA, ALPHA).getFileName());
    byte[] bytes = Files.readAllBytes(file);
    bytes[bytes.length - 9] ^= 1;
    Files.write(file, bytes);
    store.updateModelTag(ALPHA);
    assertEquals(Optional.empty(), store.load(ANNA, ALPHA));
    assertEquals(1, files(root.resolve(".quarantine")).size());
    assertSame(small(ALPHA, 2), store.load(BOB, ALPHA).orElseThrow());
  }

  @Test
  void anArchiveElsewhereIsNotUsed() throws IOException {
    Path elsewhere = Files.createDirectory(root.resolve("elsewhere"));
    Files.createSymbolicLink(root.resolve(".archive"), elsewhere);
    store.park(ANNA, small(ALPHA, 1));
    store.updateModelTag(BETA);
    assertEquals(0, store.filterCompatible());
    assertTrue(log.text().contains("Cannot archive the caches in " + live()), log.text());
    assertSame(small(ALPHA, 1), store.load(ANNA, ALPHA).orElseThrow());
    assertEquals(List.of(), files(elsewhere));
    Files.createDirectory(elsewhere.resolve(BETA.toString()));
    store.updateModelTag(BETA);
    assertTrue(Files.exists(elsewhere.resolve(BETA.toString())));
  }

  /** A symbolic link is somebody else's directory, and so is one of another name. */
  @Test
  void whatIsNotOursStays() throws IOException {
    Path elsewhere = Files.createDirectory(root.resolve("elsewhere"));
    Path theirs = Files.writeString(elsewhere.resolve("x.kv"), "theirs");
    Path link = Files.createSymbolicLink(root.resolve("beta-" + "0".repeat(16)), elsewhere);
    Path journal = Files.writeString(root.resolve("swap.journal"), "journal");
    Path temporary = Files.writeString(elsewhere.resolve("half.tmp"), "theirs");
    reopen(InactiveModelPolicy.DELETE);
    store.park(ANNA, small(ALPHA, 1));
    store.updateModelTag(BETA);
    assertEquals(1, store.filterCompatible());
    store.invalidateAll();
    for (Path path : List.of(theirs, link, journal, temporary)) {
      assertTrue(Files.exists(path), path.toString());
    }
  }

  @Test
  void openingLeavesTemporariesThatAreNotOurs() throws IOException {
    store.park(ANNA, small(ALPHA, 1));
    Path ours = DurableFiles.temporary(CacheFileNames.file(root, ANNA, ALPHA));
    Path theirs = live().resolve("download.tmp");
    Path elsewhere = Files.createDirectory(root.resolve("elsewhere"));
    Files.copy(CacheFileNames.file(root, ANNA, ALPHA), ours);
    Files.copy(ours, theirs);
    Path linked = elsewhere.resolve(ours.getFileName());
    Files.copy(ours, linked, StandardCopyOption.COPY_ATTRIBUTES);
    Files.createSymbolicLink(root.resolve("beta-" + "0".repeat(16)), elsewhere);
    reopen(InactiveModelPolicy.KEEP);
    assertFalse(Files.exists(ours));
    assertTrue(Files.exists(theirs));
    assertTrue(Files.exists(linked));
  }
}
