package dev.semantic.registry;

import static dev.semantic.scripted.ScriptedHost.PATIENCE;
import static dev.semantic.scripted.ScriptedHost.assertSays;
import static dev.semantic.scripted.ScriptedHost.said;
import static dev.semantic.scripted.ScriptedHost.tokens;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.kv.AgentId;
import dev.semantic.memory.ByteSize;
import dev.semantic.model.ModelId;
import dev.semantic.model.ModelTag;
import dev.semantic.scripted.ForwardedStore;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.ScriptedHost;
import dev.semantic.store.CacheState;
import dev.semantic.store.CacheStore;
import dev.semantic.store.DiskCacheStore;
import dev.semantic.store.HandClock;
import dev.semantic.store.InactiveModelPolicy;
import dev.semantic.store.MaintenancePolicy;
import dev.semantic.store.ParkingStatus;
import dev.semantic.store.Retention;
import dev.semantic.store.TestStores;
import dev.semantic.store.disk.Fault;
import dev.semantic.store.disk.FaultyDisk;
import dev.semantic.swap.ModelSwapException;
import dev.semantic.swap.SwapPhase;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What swaps do to the caches of models that leave, and what a full disk does to swaps. */
class InactiveModelCachesTest {
  private static final ModelId ALPHA = Geometry.ALPHA.id();
  private static final ModelId BETA = Geometry.BETA.id();

  @TempDir Path root;
  private final FaultyDisk disk = FaultyDisk.create();
  private long free = Long.MAX_VALUE / 2;

  private DiskCacheStore store(MaintenancePolicy policy) {
    return TestStores.open(disk.path(root), Clock.systemUTC(), policy, () -> free);
  }

  private static MaintenancePolicy policy(InactiveModelPolicy departed) {
    return MaintenancePolicy.DEFAULTS.withInactiveModels(departed);
  }

  private static ScriptedHost house(ByteSize budget, CacheStore store, boolean writeBehind) {
    ScriptedHost host =
        new ScriptedHost(
            budget, builder -> builder.caches(store).engine(ScriptedHost.engine(16, writeBehind)));
    host.registry.load(ALPHA);
    return host;
  }

  private static List<CacheState> states(DiskCacheStore store, ModelId model) {
    return store.maintenance().list().stream()
        .filter(entry -> entry.cache().orElseThrow().tag().model().equals(model.name()))
        .map(entry -> entry.state())
        .toList();
  }

  @Test
  void cachesLeaveWithTheirModelAndComeBackWithIt() throws Exception {
    try (DiskCacheStore store = store(policy(InactiveModelPolicy.ARCHIVE));
        ScriptedHost host = house(ScriptedHost.TIGHT, store, false)) {
      int[] ada = said(tokens(30, 1), host.ask("ada", tokens(30, 1)));
      host.registry.swapWithRollback(BETA);
      assertEquals(List.of(CacheState.ARCHIVED), states(store, ALPHA));
      host.ask("ada", tokens(20, 2));
      assertEquals(1, host.registry.swapWithRollback(ALPHA).agentsRestored());
      assertEquals(List.of(CacheState.LIVE), states(store, ALPHA));
      assertEquals(List.of(CacheState.ARCHIVED), states(store, BETA));
      assertEquals(ada.length - 1, host.ask("ada", ada).cachedTokens());
    }
  }

  @Test
  void anotherProcessFindsThemToo() throws Exception {
    int[] ada;
    try (DiskCacheStore store = store(policy(InactiveModelPolicy.ARCHIVE));
        ScriptedHost host = house(ScriptedHost.ROOMY, store, false)) {
      ada = said(tokens(30, 1), host.ask("ada", tokens(30, 1)));
      host.registry.swapWithRollback(BETA);
    }
    try (DiskCacheStore store = store(policy(InactiveModelPolicy.KEEP));
        ScriptedHost host = house(ScriptedHost.ROOMY, store, false)) {
      assertEquals(ada.length - 1, host.ask("ada", ada).cachedTokens());
    }
  }

  @Test
  void theyAreDeletedOnlyOnceTheOtherModelServes() throws Exception {
    try (DiskCacheStore store = store(policy(InactiveModelPolicy.DELETE));
        ScriptedHost host = house(ScriptedHost.TIGHT, store, false)) {
      int[] ada = said(tokens(30, 1), host.ask("ada", tokens(30, 1)));
      host.registry.swapWithRollback(BETA);
      assertEquals(List.of(), states(store, ALPHA));
      host.registry.swapWithRollback(ALPHA);
      assertEquals(0, host.ask("ada", ada).cachedTokens());
    }
  }

  static Stream<Arguments> everyFailure() {
    return Stream.of(ScriptedHost.ROOMY, ScriptedHost.TIGHT)
        .flatMap(
            budget ->
                Stream.of(SwapPhase.values())
                    .filter(phase -> phase != SwapPhase.ROLLING_BACK)
                    // by then the new model serves, and the old one is not brought back
                    .filter(
                        phase -> budget.equals(ScriptedHost.TIGHT) || phase != SwapPhase.UNLOADING)
                    .map(phase -> Arguments.of(budget, phase)));
  }

  @ParameterizedTest(name = "{1} fails with {0}")
  @MethodSource("everyFailure")
  void aFailedSwapSendsNobodyAway(ByteSize budget, SwapPhase phase) {
    for (InactiveModelPolicy departed : InactiveModelPolicy.values()) {
      failedSwap(budget, phase, departed);
    }
  }

  private void failedSwap(ByteSize budget, SwapPhase phase, InactiveModelPolicy departed) {
    SwapOptions failing =
        SwapOptions.builder()
            .guard(
                now -> {
                  if (now == phase) {
                    throw new IllegalStateException("injected");
                  }
                })
            .build();
    int[] ada;
    try (DiskCacheStore store = store(policy(departed));
        ScriptedHost host = house(budget, store, false)) {
      ada = said(tokens(30, 1), host.ask("ada", tokens(30, 1)));
      assertThrows(ModelSwapException.class, () -> host.registry.swapWithRollback(BETA, failing));
      assertEquals(ada.length - 1, host.ask("ada", ada).cachedTokens(), departed + " in memory");
    }
    try (DiskCacheStore store = store(policy(departed));
        ScriptedHost host = house(budget, store, false)) {
      assertTrue(host.ask("ada", ada).cachedTokens() >= ada.length - 1, departed + " on disk");
      store.remove(new AgentId("ada"), host.registry.current().orElseThrow().tag());
    }
  }

  /** A store that cannot sort its caches: the model serves all the same. */
  @Test
  void whatTheStoreCannotDoIsNoReasonForASwapToFail() throws Exception {
    List<String> calls = new ArrayList<>();
    CacheStore broken =
        new ForwardedStore() {
          @Override
          public void updateModelTag(ModelTag tag) {
            calls.add("update " + tag.model());
            throw new IllegalStateException("injected");
          }

          @Override
          public int filterCompatible() {
            calls.add("filter");
            throw new IllegalStateException("injected");
          }
        };
    try (ScriptedHost host = house(ScriptedHost.TIGHT, broken, false)) {
      host.registry.swapWithRollback(BETA);
      assertEquals(BETA, host.registry.current().orElseThrow().id());
      assertEquals(5, host.ask("ada", tokens(20, 2)).tokens().size());
    }
    assertEquals(List.of("update alpha", "filter", "update beta", "filter"), calls);
  }

  private void fill() {
    free = 0;
    disk.inject(
        (count, operation) -> {
          if (operation.startsWith("write")) {
            throw new FileSystemException("cache", null, "No space left on device");
          }
        });
  }

  private void empty() {
    free = Long.MAX_VALUE / 2;
    disk.inject(Fault.NONE);
  }

  @Test
  void aSwapWithoutRoomToParkLeavesTheOldModelServing() throws Exception {
    try (DiskCacheStore store = store(MaintenancePolicy.DEFAULTS);
        ScriptedHost host = house(ScriptedHost.TIGHT, store, false)) {
      int[] ada = said(tokens(30, 1), host.ask("ada", tokens(30, 1)));
      fill();
      ModelSwapException failed =
          assertThrows(ModelSwapException.class, () -> host.registry.swapWithRollback(BETA));
      assertEquals(ALPHA, failed.serving().orElseThrow().id());
      assertSays("No space left on device", failed);
      var full = assertInstanceOf(ParkingStatus.Suspended.class, host.registry.status().parking());
      assertTrue(full.why().contains("No space left on device"), full::why);
      assertEquals(store.status(), full);
      assertEquals(ada.length - 1, host.ask("ada", ada).cachedTokens());
      empty();
      host.registry.swapWithRollback(BETA);
      assertEquals(new ParkingStatus.Parking(), host.registry.status().parking());
      assertEquals(1, host.registry.swapWithRollback(ALPHA).agentsRestored());
    }
  }

  /** More agents than there is memory for: with the disk full, some are computed anew. */
  @Test
  void whileTheDiskIsFullEverybodyIsServed() {
    try (DiskCacheStore store = store(MaintenancePolicy.DEFAULTS);
        ScriptedHost host = house(ScriptedHost.ROOMY, store, false)) {
      host.ask("first", tokens(300, 0));
      fill();
      for (int i = 0; i < 20; i++) {
        assertEquals(5, host.ask("agent " + i, tokens(300, i)).tokens().size());
      }
      assertInstanceOf(ParkingStatus.Suspended.class, store.status());
      empty();
    }
  }

  @Test
  void onceThereIsRoomWhoWasNotParkedIs() {
    try (DiskCacheStore store = store(MaintenancePolicy.DEFAULTS);
        ScriptedHost host = house(ScriptedHost.ROOMY, store, true)) {
      ModelTag tag = host.registry.current().orElseThrow().tag();
      fill();
      host.ask("ada", tokens(30, 1));
      await().atMost(PATIENCE).until(() -> store.status() instanceof ParkingStatus.Suspended);
      host.ask("bob", tokens(30, 2));
      await().atMost(PATIENCE).until(() -> host.registry.status().running() == 0);
      empty();
      host.ask("carl", tokens(30, 3));
      await().atMost(PATIENCE).until(() -> store.parked(tag).size() == 3);
    }
  }

  /** What somebody in memory was parked as is all that a later eviction would leave of him. */
  @Test
  void noLimitTakesWhatAnAgentInMemoryRefersTo() throws Exception {
    MaintenancePolicy nothingStays =
        MaintenancePolicy.DEFAULTS.withLive(Retention.UNLIMITED.withBytes(ByteSize.ZERO));
    HandClock clock = new HandClock();
    try (DiskCacheStore store = TestStores.open(root, clock, nothingStays, () -> free);
        ScriptedHost host = house(ScriptedHost.TIGHT, store, true)) {
      ModelTag tag = host.registry.current().orElseThrow().tag();
      int[] ada = said(tokens(30, 1), host.ask("ada", tokens(30, 1)));
      await().atMost(PATIENCE).until(() -> store.parked(tag).size() == 1);
      clock.advance(Duration.ofHours(1));
      assertEquals(0, store.maintenance().run().caches());
      host.registry.swapWithRollback(BETA);
      assertEquals(1, host.registry.swapWithRollback(ALPHA).agentsRestored());
      assertEquals(ada.length - 1, host.ask("ada", ada).cachedTokens());
      host.registry.swapWithRollback(BETA);
      clock.advance(Duration.ofHours(1));
      assertEquals(1, store.maintenance().run().caches(), "she is in nobody's memory now");
    }
  }
}
