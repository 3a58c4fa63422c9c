package dev.semantic.store;

import static dev.semantic.store.Snapshots.ALPHA;
import static dev.semantic.store.Snapshots.BETA;
import static dev.semantic.store.Snapshots.assertSame;
import static dev.semantic.store.Snapshots.small;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.kv.AgentId;
import dev.semantic.kv.AgentSnapshot;
import dev.semantic.kv.KvSnapshot;
import dev.semantic.memory.ByteSize;
import dev.semantic.model.KvLayout;
import dev.semantic.model.KvLayout.Layer;
import dev.semantic.model.KvPrecision;
import dev.semantic.store.format.CacheFormat;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What every cache store does. */
class CacheStoreContractTest {
  private static final AgentId ANNA = new AgentId("anna");

  /** A clock that moves one second a look. */
  static Clock ticking() {
    Instant[] now = {Instant.parse("2026-01-01T00:00:00Z")};
    InstantSource source =
        () -> {
          synchronized (now) {
            now[0] = now[0].plus(Duration.ofSeconds(1));
            return now[0];
          }
        };
    return source.withZone(ZoneOffset.UTC);
  }

  @Nested
  class InMemory extends Contract {
    @Override
    CacheStore make() {
      return new MemoryCacheStore(ByteSize.ofMiB(64), ticking());
    }
  }

  @Nested
  class OnDisk extends Contract {
    @TempDir Path root;
    private @Nullable DiskCacheStore store;

    @Override
    CacheStore make() {
      DiskCacheStore made = DiskCacheStore.open(root, new CacheFormat(ticking(), 64, 4));
      store = made;
      return made;
    }

    @AfterEach
    void close() {
      if (store != null) {
        store.close();
      }
    }
  }

  abstract static class Contract {
    abstract CacheStore make();

    @ParameterizedTest
    @EnumSource
    void whatIsParkedComesBack(KvPrecision precision) {
      CacheStore store = make();
      KvSnapshot snapshot = Snapshots.of(ALPHA, Snapshots.MIXED, precision, 9, 1);
      ParkedCache parked = store.park(ANNA, snapshot);
      assertSame(snapshot, store.load(ANNA, ALPHA).orElseThrow());
      assertEquals(ANNA, parked.agent());
      assertEquals(ALPHA, parked.tag());
      assertEquals(9, parked.tokens());
      assertTrue(parked.size().bytes() >= snapshot.bytes() + 9 * 4);
    }

    /** Nothing, less than a window, a window, one more, several. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 4, 5, 6, 17})
    void anyLengthComesBack(int tokens) {
      CacheStore store = make();
      KvSnapshot snapshot = Snapshots.of(ALPHA, Snapshots.MIXED, KvPrecision.FLOAT32, tokens, 2);
      store.park(ANNA, snapshot);
      assertSame(snapshot, store.load(ANNA, ALPHA).orElseThrow());
    }

    @Test
    void aLayerOfManyBlocksComesBack() {
      CacheStore store = make();
      KvLayout layout = new KvLayout(List.of(new Layer(3, 7, 0), new Layer(1, 1, 2)));
      KvSnapshot snapshot = Snapshots.of(ALPHA, layout, KvPrecision.BFLOAT16, 501, 3);
      store.park(ANNA, snapshot);
      assertSame(snapshot, store.load(ANNA, ALPHA).orElseThrow());
      assertSame(snapshot, store.load(ANNA, ALPHA).orElseThrow());
    }

    @Test
    void whatWasNeverParkedIsAbsent() {
      CacheStore store = make();
      assertEquals(Optional.empty(), store.load(ANNA, ALPHA));
      assertEquals(List.of(), store.parked(ALPHA));
      store.remove(ANNA, ALPHA);
    }

    @Test
    void theLaterReplacesTheEarlier() {
      CacheStore store = make();
      store.park(ANNA, Snapshots.of(ALPHA, Snapshots.MIXED, KvPrecision.FLOAT32, 30, 4));
      KvSnapshot later = small(ALPHA, 5);
      store.park(ANNA, later);
      assertSame(later, store.load(ANNA, ALPHA).orElseThrow());
      assertEquals(1, store.parked(ALPHA).size());
    }

    @Test
    void anAgentHasOneCachePerTag() {
      CacheStore store = make();
      KvSnapshot alpha = small(ALPHA, 6);
      KvSnapshot beta = small(BETA, 7);
      store.park(ANNA, alpha);
      store.park(ANNA, beta);
      assertSame(alpha, store.load(ANNA, ALPHA).orElseThrow());
      assertSame(beta, store.load(ANNA, BETA).orElseThrow());
      store.remove(ANNA, BETA);
      assertEquals(Optional.empty(), store.load(ANNA, BETA));
      assertSame(alpha, store.load(ANNA, ALPHA).orElseThrow());
    }

    @Test
    void theMostRecentIsListedFirst() {
      CacheStore store = make();
      for (String name : List.of("a", "b", "c", "a")) {
        store.park(new AgentId(name), small(ALPHA, 8));
      }
      store.park(new AgentId("d"), small(BETA, 8));
      assertEquals(
          List.of("a", "c", "b"),
          store.parked(ALPHA).stream().map(cache -> cache.agent().name()).toList());
    }

    @Test
    void severalAreParkedTogether() {
      CacheStore store = make();
      store.park(ANNA, small(ALPHA, 1));
      List<AgentSnapshot> all = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        all.add(new AgentSnapshot(new AgentId("agent " + i), small(i % 2 == 0 ? ALPHA : BETA, i)));
      }
      all.add(new AgentSnapshot(ANNA, small(ALPHA, 2)));
      List<ParkingResult> results = store.parkAll(all);
      for (int i = 0; i < all.size(); i++) {
        ParkedCache cache = ((ParkingResult.Parked) results.get(i)).cache();
        assertEquals(all.get(i).agent(), cache.agent());
        assertEquals(Optional.of(cache), store.parked(cache.agent(), cache.tag()));
        assertSame(all.get(i).snapshot(), store.load(cache.agent(), cache.tag()).orElseThrow());
      }
      assertEquals(11, store.parked(ALPHA).size());
    }

    @Test
    void anAgentIsForgottenUnderEveryTag() {
      CacheStore store = make();
      AgentId other = new AgentId("anna's neighbour");
      for (AgentId agent : List.of(ANNA, other)) {
        store.park(agent, small(ALPHA, 6));
        store.park(agent, small(BETA, 7));
      }
      assertEquals(2, store.forget(ANNA));
      assertEquals(0, store.forget(ANNA));
      assertEquals(Optional.empty(), store.load(ANNA, ALPHA));
      assertEquals(Optional.empty(), store.parked(ANNA, BETA));
      assertSame(small(ALPHA, 6), store.load(other, ALPHA).orElseThrow());
      assertSame(small(BETA, 7), store.load(other, BETA).orElseThrow());
    }

    @Test
    void manyThreadsFindWhatTheyParked() throws Exception {
      CacheStore store = make();
      try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
        List<Future<?>> all = new ArrayList<>();
        for (int i = 0; i < 32; i++) {
          AgentId agent = new AgentId("agent " + i % 3);
          long seed = i;
          all.add(
              threads.submit(
                  () -> {
                    store.park(agent, small(ALPHA, seed));
                    assertEquals(7, store.load(agent, ALPHA).orElseThrow().tokens().length);
                    store.parked(ALPHA);
                  }));
        }
        for (Future<?> each : all) {
          each.get();
        }
      }
      assertEquals(3, store.parked(ALPHA).size());
    }
  }
}
