package dev.semantic.store;

import static dev.semantic.store.Snapshots.ALPHA;
import static dev.semantic.store.Snapshots.BETA;
import static dev.semantic.store.Snapshots.assertSame;
import static dev.semantic.store.Snapshots.small;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.kv.AgentId;
import dev.semantic.model.ModelTag;
import dev.semantic.store.format.CacheFileNames;
import dev.semantic.store.format.CacheFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** An agent who is forgotten is in no directory any more; others are where they were. */
class ForgottenAgentTest {
  private static final AgentId ANNA = new AgentId("anna");
  private static final AgentId BERT = new AgentId("bert");

  @TempDir Path root;

  private static CacheFormat form(boolean encrypted) {
    CacheFormat open = new CacheFormat(Clock.systemUTC(), 64, 4);
    return encrypted ? open.with(EncryptedCacheTest.key(1).files()) : open;
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aForgottenAgentIsNowhere(boolean encrypted) throws IOException {
    CacheFormat form = form(encrypted);
    try (DiskCacheStore store = DiskCacheStore.open(root, form)) {
      for (AgentId agent : List.of(ANNA, BERT)) {
        store.park(agent, small(ALPHA, 1));
        store.park(agent, small(BETA, 2));
      }
      Path damaged = form.file(root, ANNA, ALPHA);
      Files.write(damaged, new byte[50]);
      assertEquals(Optional.empty(), store.load(ANNA, ALPHA)); // put aside
      store.invalidateAll(); // archived
      store.updateModelTag(ALPHA);
      store.park(ANNA, small(ALPHA, 3));
      assertEquals(3, store.forget(ANNA));
      assertEquals(List.of(BERT), store.parked(ALPHA).stream().map(ParkedCache::agent).toList());
      store.updateModelTag(BETA);
      assertEquals(Optional.empty(), store.load(ANNA, BETA));
      assertSame(small(BETA, 2), store.load(BERT, BETA).orElseThrow());
      assertSame(small(ALPHA, 1), store.load(BERT, ALPHA).orElseThrow());
      assertNothingOf(ANNA, form, ALPHA, BETA);
    }
  }

  private void assertNothingOf(AgentId agent, CacheFormat form, ModelTag... tags)
      throws IOException {
    try (Stream<Path> all = Files.walk(root)) {
      List<Path> its =
          all.filter(
                  file ->
                      Stream.of(tags)
                          .map(tag -> CacheFileNames.name(form.file(root, agent, tag)))
                          .anyMatch(CacheFileNames.name(file)::endsWith))
              .toList();
      assertTrue(its.isEmpty(), its.toString());
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void whatIsRemovedOfOneModelComesBackFromNoRoom(boolean encrypted) throws IOException {
    CacheFormat form = form(encrypted);
    try (DiskCacheStore store = DiskCacheStore.open(root, form)) {
      store.park(ANNA, small(ALPHA, 1));
      store.park(ANNA, small(BETA, 2));
      store.park(BERT, small(ALPHA, 1));
      Files.write(form.file(root, ANNA, ALPHA), new byte[50]);
      assertEquals(Optional.empty(), store.load(ANNA, ALPHA)); // put aside
      store.park(ANNA, small(ALPHA, 3));
      store.invalidateAll(); // archived
      store.park(ANNA, small(ALPHA, 4));
      store.remove(ANNA, ALPHA);
      assertNothingOf(ANNA, form, ALPHA);
      store.updateModelTag(ALPHA);
      assertEquals(List.of(BERT), store.parked(ALPHA).stream().map(ParkedCache::agent).toList());
      assertSame(small(ALPHA, 1), store.load(BERT, ALPHA).orElseThrow());
      store.invalidateAll();
      store.remove(BERT, ALPHA); // in the archive only
      store.updateModelTag(ALPHA);
      assertEquals(Optional.empty(), store.load(BERT, ALPHA));
      store.updateModelTag(BETA);
      assertSame(small(BETA, 2), store.load(ANNA, BETA).orElseThrow());
    }
  }

  @Test
  void whoeverPurgesAllThatIsListedLeavesNothing() throws IOException {
    CacheFormat form = form(false);
    try (DiskCacheStore store = DiskCacheStore.open(root, form)) {
      store.park(ANNA, small(ALPHA, 1));
      store.invalidateAll();
      store.park(ANNA, small(ALPHA, 4));
      store.maintenance().list().forEach(store.maintenance()::purge);
      assertNothingOf(ANNA, form, ALPHA);
      store.updateModelTag(ALPHA);
      assertEquals(Optional.empty(), store.load(ANNA, ALPHA));
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aCacheWhoseBlockIsGoneIsNotParked(boolean encrypted) throws IOException {
    try (DiskCacheStore store = DiskCacheStore.open(root, form(encrypted))) {
      store.park(ANNA, small(ALPHA, 1));
      assertEquals(1, store.parked(ALPHA).size());
      try (Stream<Path> all = Files.walk(root)) {
        for (Path block : all.filter(file -> file.toString().endsWith(".kvb")).toList()) {
          Files.delete(block);
        }
      }
      assertEquals(List.of(), store.parked(ALPHA));
      assertEquals(Optional.empty(), store.parked(ANNA, ALPHA));
      store.park(ANNA, small(ALPHA, 1));
      assertSame(small(ALPHA, 1), store.load(ANNA, ALPHA).orElseThrow());
    }
  }
}
