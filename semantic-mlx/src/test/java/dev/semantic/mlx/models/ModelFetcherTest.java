package dev.semantic.mlx.models;

import static dev.semantic.mlx.testing.Refusal.assertRefused;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

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
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelFetcherTest {
  private final Offer offer = new Offer();
  private final KnownModel tiny = model(11, "hello world");

  @TempDir Path home;
  private ModelCatalog catalog;
  private ModelFetcher fetcher;

  /** Brings what it has in two steps, as one that asks a server twice does. */
  private static final class Offer implements ModelOrigin {
    private final AtomicInteger calls = new AtomicInteger();
    private volatile String first = "hello ";
    private volatile String second = "world";
    private volatile boolean breaks;

    @Override
    public long missingBytes(Path downloads) {
      return 400;
    }

    @Override
    public void fetch(Path file, Path downloads, FetchProgress progress) throws IOException {
      calls.incrementAndGet();
      Path kept = downloads.resolve("first");
      if (!Files.exists(kept)) {
        Files.writeString(kept, first);
      }
      progress.progress(100, 400);
      if (breaks) {
        throw new IOException("the server went away");
      }
      progress.progress(400, 400);
      Files.writeString(file, Files.readString(kept) + second);
    }
  }

  private KnownModel model(long size, String content) {
    return new KnownModel(
        "tiny", "tiny-q4.gguf", size, Sha256.of(content), "llama", 1 << 20, "MIT", offer);
  }

  @BeforeEach
  void emptyCache() {
    catalog = new ModelCatalog(new UserCache(home.resolve("cache"))).withModels(List.of(tiny));
    fetcher = new ModelFetcher(catalog);
  }

  private void assertNotFetched(String... words) {
    assertRefused(ModelException.class, () -> fetcher.fetch(tiny, FetchProgress.NONE), words);
  }

  @Test
  void bringsTheFileAndLeavesOnlyTheModel() throws IOException {
    assertEquals(ModelState.ABSENT, catalog.state(tiny));
    List<Long> reports = Collections.synchronizedList(new ArrayList<>());
    Path file =
        fetcher.fetch(
            tiny,
            (done, total) -> {
              assertEquals(400, total);
              reports.add(done);
            });
    assertEquals("hello world", Files.readString(file));
    assertEquals(ModelState.READY, catalog.state(tiny));
    assertEquals(file, catalog.resolve(new ModelId("tiny")));
    assertEquals(reports.stream().sorted().toList(), reports);
    assertEquals(400, reports.getLast());
    assertEquals(List.of(), namesIn(home.resolve("cache/downloads")));
  }

  @Test
  void aReadyModelIsNotAskedForAgain() {
    fetcher.fetch(tiny, FetchProgress.NONE);
    new ModelFetcher(catalog).fetch(tiny, FetchProgress.NONE);
    assertEquals(1, offer.calls.get());
  }

  /** Whoever opens a catalogue over this cache, and knows nothing of where it came from. */
  @Test
  void aModelThatWasFetchedByANameKeepsIt() throws IOException {
    Path file = fetcher.fetch(tiny, FetchProgress.NONE);
    ModelCatalog others = new ModelCatalog(new UserCache(home.resolve("cache")));
    assertEquals(file, others.resolve(new ModelId("tiny")));
    assertRefused(ModelException.class, () -> others.resolve(new ModelId("tiny2")), "tiny2");
    assertEquals(List.of(), namesIn(home.resolve("cache/downloads")));
  }

  @Test
  void anInterruptedFetchGoesOnWhereItWas() throws IOException {
    offer.breaks = true;
    assertNotFetched("tiny", "the server went away");
    assertEquals(ModelState.PARTIAL, catalog.state(tiny));
    assertRefused(
        ModelException.class,
        () -> catalog.resolve(new ModelId("tiny")),
        "partial",
        "ModelFetcher");
    offer.breaks = false;
    offer.first = "something else";
    assertEquals("hello world", Files.readString(fetcher.fetch(tiny, FetchProgress.NONE)));
    assertEquals(ModelState.READY, catalog.state(tiny));
  }

  @Test
  void aWrongChecksumIsRefusedAndTheNextFetchStartsAfresh() throws IOException {
    offer.second = "World";
    assertNotFetched("SHA-256", tiny.sha256(), "fetch again");
    assertEquals(ModelState.ABSENT, catalog.state(tiny));
    offer.second = "world";
    assertEquals("hello world", Files.readString(fetcher.fetch(tiny, FetchProgress.NONE)));
  }

  @Test
  void aFullDiskIsSeenBeforeAnythingIsDownloaded() throws IOException {
    KnownModel huge = model(Long.MAX_VALUE / 2, "");
    assertRefused(
        ModelException.class,
        () -> fetcher.fetch(huge, FetchProgress.NONE),
        "free",
        "SEMANTIC_HOME");
    assertEquals(0, offer.calls.get());
  }

  @Test
  void aChangedFileIsNoLongerReadyAndIsFetchedAgain() throws IOException {
    Path file = fetcher.fetch(tiny, FetchProgress.NONE);
    Files.writeString(file, "hellO world");
    Files.setLastModifiedTime(file, FileTime.fromMillis(1));
    assertEquals(ModelState.PARTIAL, catalog.state(tiny));
    fetcher.fetch(tiny, FetchProgress.NONE);
    assertEquals("hello world", Files.readString(file));
  }

  /** As tools that copy restore it. */
  @Test
  void aFileThatChangedAndHasItsOldTimeIsNoLongerReady() throws IOException {
    Path file = fetcher.fetch(tiny, FetchProgress.NONE);
    FileTime time = Files.getLastModifiedTime(file);
    ModelId id = new ModelId("tiny");
    await().until(() -> isLater(Files.writeString(home.resolve("probe"), ""), file));
    Files.writeString(file, "hellO world");
    Files.setLastModifiedTime(file, time);
    assertEquals(ModelState.PARTIAL, catalog.state(tiny));
    assertRefused(ModelException.class, () -> catalog.resolve(id), "tiny");
    Files.writeString(file, "hello world");
    Files.setLastModifiedTime(file, time);
    assertEquals(file, catalog.resolve(id), "read once more, it is whole");
    assertEquals(ModelState.READY, catalog.state(tiny));
  }

  /** They could write there once: other weights, and that they were verified. */
  @Test
  void anotherUsersWordThatAModelIsWholeIsNotBelieved() throws IOException {
    Path file = fetcher.fetch(tiny, FetchProgress.NONE);
    Path note = file.resolveSibling("tiny-q4.gguf.verified");
    ModelId id = new ModelId("tiny");
    assumeTrue(
        ((Number) Files.getAttribute(note, "unix:uid")).intValue() == 0,
        "SKIPPED: only root can give a file away");
    ModelCatalog others = new ModelCatalog(new UserCache(home.resolve("cache")));
    assertEquals(file, others.resolve(id), "by the name that the note says");
    Files.setAttribute(note, "unix:uid", 54321);
    assertRefused(ModelException.class, () -> others.resolve(id), "tiny");
    assertEquals(ModelState.PARTIAL, catalog.state(tiny));
    assertEquals(file, catalog.resolve(id), "read once more, it is whole");
    assertEquals(ModelState.READY, catalog.state(tiny));
    Files.setAttribute(file.getParent(), "unix:uid", 54321);
    assertEquals(ModelState.PARTIAL, catalog.state(tiny));
    assertEquals(file, catalog.resolve(id), "read each time");
    Files.writeString(file, "hellO world");
    assertRefused(ModelException.class, () -> catalog.resolve(id), "tiny");
  }

  /** Clocks of file systems are coarse. */
  private static boolean isLater(Path probe, Path file) throws IOException {
    FileTime stamped =
        (FileTime) Files.getAttribute(file.resolveSibling("tiny-q4.gguf.verified"), "unix:ctime");
    return ((FileTime) Files.getAttribute(probe, "unix:ctime")).compareTo(stamped) > 0;
  }

  @Test
  void aFileThatSomebodyCopiedThereIsVerifiedAndKept() throws IOException {
    Path file = catalog.path(tiny);
    Files.createDirectories(file.getParent());
    Files.writeString(file, "hello world");
    assertEquals(ModelState.PARTIAL, catalog.state(tiny));
    fetcher.fetch(tiny, FetchProgress.NONE);
    assertEquals(ModelState.READY, catalog.state(tiny));
    assertEquals(0, offer.calls.get());
  }

  @Test
  void ofManyFetchersOneDownloads() throws Exception {
    List<Callable<Path>> fetches =
        Collections.nCopies(4, () -> fetcher.fetch(tiny, FetchProgress.NONE));
    try (var threads = Executors.newFixedThreadPool(4)) {
      for (Future<Path> fetched : threads.invokeAll(fetches)) {
        assertEquals("hello world", Files.readString(fetched.get()));
      }
    }
    assertEquals(1, offer.calls.get());
  }

  @Test
  void whatIsInTheWayIsNamed() throws IOException {
    Files.createDirectories(home.resolve("cache"));
    Path inTheWay = Files.writeString(home.resolve("cache/models"), "a file");
    assertNotFetched(inTheWay.toString());
    assertFalse(Files.exists(home.resolve("cache/tiny-q4.gguf")));
  }

  private static List<String> namesIn(Path directory) throws IOException {
    try (Stream<Path> entries = Files.list(directory)) {
      return entries.map(p -> p.getFileName().toString()).sorted().toList();
    }
  }
}
