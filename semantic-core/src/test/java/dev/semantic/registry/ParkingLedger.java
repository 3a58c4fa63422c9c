package dev.semantic.registry;

import dev.semantic.kv.AgentId;
import dev.semantic.kv.KvSnapshot;
import dev.semantic.model.ModelTag;
import dev.semantic.store.CacheStore;
import dev.semantic.store.ParkedCache;
import java.util.List;
import java.util.Optional;

/** Hears of every cache that is being parked, and of every one that was acknowledged. */
interface ParkingLedger {
  /** It may be in the store from now on. */
  void parking(AgentId agent, ModelTag tag, int[] tokens);

  /** It has to be in the store from now on. */
  void parked(AgentId agent, ModelTag tag);

  /** A store that keeps this ledger. */
  default CacheStore over(CacheStore store) {
    return new CacheStore() {
      @Override
      public Optional<KvSnapshot> load(AgentId agent, ModelTag tag) {
        return store.load(agent, tag);
      }

      @Override
      public ParkedCache park(AgentId agent, KvSnapshot snapshot) {
        parking(agent, snapshot.tag(), snapshot.tokens());
        ParkedCache cache = store.park(agent, snapshot);
        ParkingLedger.this.parked(agent, snapshot.tag());
        return cache;
      }

      @Override
      public List<ParkedCache> parked(ModelTag tag) {
        return store.parked(tag);
      }

      @Override
      public void remove(AgentId agent, ModelTag tag) {
        store.remove(agent, tag);
      }
    };
  }
}
