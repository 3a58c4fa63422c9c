package dev.semantic.registry;

import static dev.semantic.scripted.ScriptedHost.PATIENCE;
import static dev.semantic.scripted.ScriptedHost.said;
import static dev.semantic.scripted.ScriptedHost.tokens;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.kv.AgentId;
import dev.semantic.memory.ByteSize;
import dev.semantic.model.ModelId;
import dev.semantic.model.ModelTag;
import dev.semantic.scripted.Fault;
import dev.semantic.scripted.ForwardedStore;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.PortCall;
import dev.semantic.scripted.ScriptedHost;
import dev.semantic.store.CacheStore;
import dev.semantic.store.DiskCacheStore;
import dev.semantic.store.InactiveModelPolicy;
import dev.semantic.store.MaintenancePolicy;
import dev.semantic.store.MemoryCacheStore;
import dev.semantic.store.ParkingStatus;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What is parked is what the store says, whatever was written once. */
class ParkedAsTheStoreSaysTest {
  private static final ModelId ALPHA = Geometry.ALPHA.id();
  private static final ModelId BETA = Geometry.BETA.id();
  private static final ModelTag TAG = Geometry.ALPHA.tag();
  private static final AgentId ADA = new AgentId("ada");

  @TempDir private Path root;

  private static ScriptedHost house(CacheStore store, boolean writeBehind) {
    ScriptedHost host =
        new ScriptedHost(
            ScriptedHost.ROOMY,
            builder -> builder.caches(store).engine(ScriptedHost.engine(16, writeBehind)));
    host.registry.load(ALPHA);
    return host;
  }

  private static void awaitParked(CacheStore store, int agents) {
    await().atMost(PATIENCE).until(() -> store.parked(TAG).size() == agents);
  }

  @Test
  void whatWasRemovedBehindItsBackIsParkedAgain() throws Exception {
    MemoryCacheStore store = new MemoryCacheStore(ByteSize.ofMiB(1));
    try (ScriptedHost host = house(store, true)) {
      int[] ada = said(tokens(30, 1), host.ask("ada", tokens(30, 1)));
      int[] bob = said(tokens(30, 2), host.ask("bob", tokens(30, 2)));
      awaitParked(store, 2);
      store.remove(ADA, TAG);
      assertEquals(2, host.registry.swapWithRollback(BETA).agentsParked());
      assertEquals(2, store.parked(TAG).size());
      host.registry.swapWithRollback(ALPHA);
      store.invalidateAll(); // and once more, of agents who were brought back
      assertEquals(2, host.registry.swapWithRollback(BETA).agentsParked());
      host.registry.swapWithRollback(ALPHA);
      assertEquals(ada.length - 1, host.ask("ada", ada).cachedTokens());
      assertEquals(bob.length - 1, host.ask("bob", bob).cachedTokens());
    }
  }

  /** Each way in which what is on a disk can go while its agent is in memory. */
  enum Removal {
    REMOVE {
      @Override
      void from(DiskCacheStore store) {
        store.remove(ADA, TAG);
      }
    },
    FORGET {
      @Override
      void from(DiskCacheStore store) {
        store.forget(ADA);
      }
    },
    INVALIDATE {
      @Override
      void from(DiskCacheStore store) {
        store.invalidateAll();
      }
    },
    PURGE {
      @Override
      void from(DiskCacheStore store) {
        store.maintenance().list().forEach(store.maintenance()::purge);
      }
    },
    ARCHIVE {
      @Override
      void from(DiskCacheStore store) {
        store.maintenance().list().forEach(store.maintenance()::archive);
      }
    };

    abstract void from(DiskCacheStore store);
  }

  @ParameterizedTest
  @EnumSource
  void whateverTookItFromTheDiskItIsParkedBeforeItsModelLeaves(Removal removal) throws Exception {
    for (InactiveModelPolicy departed : InactiveModelPolicy.values()) {
      Path directory = root.resolve(departed.name());
      try (DiskCacheStore store =
              DiskCacheStore.open(
                  directory, MaintenancePolicy.DEFAULTS.withInactiveModels(departed));
          ScriptedHost host = house(store, true)) {
        int[] ada = said(tokens(300, 1), host.ask("ada", tokens(300, 1)));
        awaitParked(store, 1);
        removal.from(store);
        assertEquals(0, store.parked(TAG).size());
        assertEquals(1, host.registry.unload().agentsParked());
        host.registry.load(ALPHA);
        assertEquals(ada.length - 1, host.ask("ada", ada).cachedTokens(), departed::toString);
      }
    }
  }

  @Test
  void whoHasToLeaveIsParkedAgainIfWhatWasParkedHasGone() {
    MemoryCacheStore store = new MemoryCacheStore(ByteSize.ofMiB(1));
    try (ScriptedHost host = house(store, true)) {
      int[] ada = said(tokens(300, 1), host.ask("ada", tokens(300, 1)));
      awaitParked(store, 1);
      store.remove(ADA, TAG);
      for (int i = 0; i < 20; i++) { // more than there is room for
        host.ask("agent " + i, tokens(300, i));
      }
      assertTrue(store.parked(ADA, TAG).isPresent());
      assertEquals(ada.length - 1, host.ask("ada", ada).cachedTokens());
    }
  }

  @Test
  void whatAnotherHasPutInItsPlaceIsNotTakenForIt() throws Exception {
    MemoryCacheStore store = new MemoryCacheStore(ByteSize.ofMiB(1));
    try (ScriptedHost host = house(store, true);
        ScriptedHost other = house(store, true)) {
      int[] ada = said(tokens(30, 1), host.ask("ada", tokens(30, 1)));
      awaitParked(store, 1);
      var before = store.parked(ADA, TAG);
      other.ask("ada", tokens(30, 2));
      await().atMost(PATIENCE).until(() -> !store.parked(ADA, TAG).equals(before));
      host.registry.swapWithRollback(BETA);
      host.registry.swapWithRollback(ALPHA);
      assertEquals(ada.length - 1, host.ask("ada", ada).cachedTokens());
    }
  }

  @Test
  void aStoreThatForgetsCostsAPrefillAndSaysSo() throws Exception {
    MemoryCacheStore store = new MemoryCacheStore(new ByteSize(1));
    try (ScriptedHost host = house(store, false)) {
      int[] ada = said(tokens(30, 1), host.ask("ada", tokens(30, 1)));
      assertEquals(0, host.registry.swapWithRollback(BETA).agentsParked());
      assertEquals(1, host.registry.status().caches().orElseThrow().forgotten());
      host.registry.swapWithRollback(ALPHA);
      assertEquals(0, host.ask("ada", ada).cachedTokens());
    }
  }

  @Test
  void aStoreThatCannotBeWrittenIsToldWithItsCauseAndRecovers() throws Exception {
    try (ScriptedHost host =
        new ScriptedHost(
            ScriptedHost.ROOMY, builder -> builder.engine(ScriptedHost.engine(16, true)))) {
      host.registry.load(ALPHA);
      host.script.failForGood(PortCall.STORE_PARK, 1, Fault.DECLARED);
      int[] ada = said(tokens(30, 1), host.ask("ada", tokens(30, 1)));
      await()
          .atMost(PATIENCE)
          .until(() -> host.registry.status().parking() instanceof ParkingStatus.Suspended);
      ParkingStatus.Suspended why =
          assertInstanceOf(ParkingStatus.Suspended.class, host.registry.status().parking());
      assertTrue(why.why().contains("STORE_PARK"), why.why());
      host.script.heal();
      await()
          .atMost(PATIENCE)
          .until(() -> host.registry.status().parking() instanceof ParkingStatus.Parking);
      assertEquals(1, host.registry.swapWithRollback(BETA).agentsParked());
      assertEquals(host.parked.usage(), host.registry.status().caches());
      host.registry.swapWithRollback(ALPHA);
      assertEquals(ada.length - 1, host.ask("ada", ada).cachedTokens());
    }
  }

  /** More agents than there is memory for, and nobody can be parked: some are computed anew. */
  @Test
  void whileTheStoreCannotBeWrittenEverybodyIsServed() {
    for (boolean writeBehind : new boolean[] {false, true}) {
      try (ScriptedHost host =
          new ScriptedHost(
              ScriptedHost.ROOMY,
              builder -> builder.engine(ScriptedHost.engine(16, writeBehind)))) {
        host.registry.load(ALPHA);
        host.script.failForGood(PortCall.STORE_PARK, 1, Fault.DECLARED);
        for (int i = 0; i < 20; i++) {
          assertEquals(5, host.ask("agent " + i, tokens(300, i)).tokens().size());
        }
        assertInstanceOf(ParkingStatus.Suspended.class, host.registry.status().parking());
      }
    }
  }

  @Test
  void aStoreThatCannotTellHowFullItIsLeavesThatOpen() {
    try (ScriptedHost host =
        new ScriptedHost(ScriptedHost.ROOMY, builder -> builder.caches(new ForwardedStore()))) {
      assertEquals(Optional.empty(), host.registry.status().caches());
    }
  }
}
