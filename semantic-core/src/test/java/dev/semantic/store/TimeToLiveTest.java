package dev.semantic.store;

import static dev.semantic.store.DiskCacheStoreTest.allFiles;
import static dev.semantic.store.Snapshots.ALPHA;
import static dev.semantic.store.Snapshots.BETA;
import static dev.semantic.store.Snapshots.assertSame;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.kv.AgentId;
import dev.semantic.kv.KvSnapshot;
import dev.semantic.model.KvLayout;
import dev.semantic.model.KvPrecision;
import dev.semantic.store.format.CacheFileNames;
import dev.semantic.store.format.CacheFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Caches that may be used for a day. */
class TimeToLiveTest {
  private static final AgentId ANNA = new AgentId("anna");
  private static final AgentId BERT = new AgentId("bert");
  private static final Duration DAY = Duration.ofDays(1);

  /** Of 22 tokens: five blocks of four, and a rest of two. */
  private static final KvSnapshot LONG =
      Snapshots.of(ALPHA, KvLayout.uniform(2, 2, 4), KvPrecision.FLOAT32, 22, 1);

  @TempDir Path root;
  private Instant now = Instant.parse("2026-01-01T00:00:00Z");
  private final Clock clock = ((InstantSource) () -> now).withZone(ZoneOffset.UTC);
  private StandardError log;

  @BeforeEach
  void listen() {
    log = new StandardError();
  }

  @AfterEach
  void close() {
    log.close();
  }

  private DiskCacheStore open(@Nullable CacheKey key) {
    CacheFormat form = new CacheFormat(clock, 64, 4).with(DAY);
    return DiskCacheStore.open(root, key == null ? form : form.with(key.files()));
  }

  private List<Path> files() throws IOException {
    return allFiles(root).stream().filter(file -> !file.endsWith(".lock")).toList();
  }

  private void pass(Duration time) {
    now = now.plus(time);
  }

  @Test
  void whatHasExpiredIsAMissAndRemoved() throws IOException {
    try (DiskCacheStore store = open(null)) {
      store.park(ANNA, LONG);
      pass(DAY);
      assertSame(LONG, store.load(ANNA, ALPHA).orElseThrow());
      pass(Duration.ofNanos(1));
      assertEquals(Optional.empty(), store.load(ANNA, ALPHA));
      assertEquals(List.of(), files(), "the blocks too, which hold the prompt");
      assertTrue(log.text().contains("caches live for PT24H"), log.text());
    }
  }

  @Test
  void listingRemovesToo() throws IOException {
    try (DiskCacheStore store = open(null)) {
      store.park(ANNA, LONG);
      pass(DAY.dividedBy(2));
      store.park(BERT, Snapshots.fork(LONG, 10, 2));
      pass(DAY.dividedBy(2).plusNanos(1));
      assertEquals(List.of(BERT), store.parked(ALPHA).stream().map(ParkedCache::agent).toList());
      assertEquals(6, files().size(), "two shared blocks and the others of bert's");
      assertSame(Snapshots.fork(LONG, 10, 2), store.load(BERT, ALPHA).orElseThrow());
    }
  }

  @Test
  void beginningsExpireWithTheirLastAgent() throws IOException {
    try (DiskCacheStore store = open(null)) {
      store.park(ANNA, LONG);
      store.park(BERT, LONG);
      pass(DAY);
      store.park(BERT, LONG);
      pass(DAY);
      assertTrue(store.prefix(ALPHA, KvPrecision.FLOAT32, LONG.tokens()).isPresent());
      assertEquals(6, files().size(), "anna's is gone");
      pass(Duration.ofNanos(1));
      assertEquals(Optional.empty(), store.prefix(ALPHA, KvPrecision.FLOAT32, LONG.tokens()));
      assertEquals(List.of(), files());
    }
  }

  @Test
  void openingRemovesWhatHasExpiredOfEveryModel() throws IOException {
    KvSnapshot beta = Snapshots.of(BETA, KvLayout.uniform(1, 1, 4), KvPrecision.FLOAT16, 9, 1);
    try (DiskCacheStore store = open(null)) {
      store.park(ANNA, LONG);
      store.park(ANNA, beta);
      pass(DAY.plusNanos(1));
      store.park(BERT, beta);
    }
    open(null).close();
    assertEquals(3, files().size(), files().toString());
    try (DiskCacheStore store = open(null)) {
      assertSame(beta, store.load(BERT, BETA).orElseThrow());
    }
  }

  @Test
  void whatNobodyHasTheKeyOfExpires() throws IOException {
    try (DiskCacheStore store = open(EncryptedCacheTest.key(1))) {
      store.park(ANNA, LONG);
    }
    open(null).close();
    assertEquals(6, files().size());
    pass(DAY.plusNanos(1));
    open(EncryptedCacheTest.key(2)).close();
    assertEquals(List.of(), files());
  }

  @Test
  void whatCannotBeRemovedIsNotUsed() throws IOException {
    try (DiskCacheStore store = open(null)) {
      store.park(ANNA, LONG);
      Path own = CacheFileNames.file(root, ANNA, ALPHA);
      byte[] bytes = Files.readAllBytes(own);
      pass(DAY.plusNanos(1));
      store.load(ANNA, ALPHA);
      Files.write(own, bytes); // back, as from a backup
      assertEquals(Optional.empty(), store.load(ANNA, ALPHA));
      assertFalse(Files.exists(own));
    }
  }

  @Test
  void withoutALimitNothingExpires() {
    try (DiskCacheStore store = DiskCacheStore.open(root, new CacheFormat(clock, 64, 4))) {
      store.park(ANNA, LONG);
      pass(Duration.ofDays(100_000));
      assertSame(LONG, store.load(ANNA, ALPHA).orElseThrow());
      assertEquals(1, store.parked(ALPHA).size());
    }
  }

  @Test
  void aNegativeTimeIsRefused() {
    DiskCacheBuilder builder = DiskCacheStore.builder(root);
    assertThrows(IllegalArgumentException.class, () -> builder.timeToLive(DAY.negated()));
  }
}
