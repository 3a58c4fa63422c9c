package dev.semantic.registry;

import dev.semantic.generate.EngineOptions;
import dev.semantic.journal.SwapJournal;
import dev.semantic.memory.ByteSize;
import dev.semantic.memory.MemoryBudget;
import dev.semantic.spi.ModelRuntime;
import dev.semantic.store.CacheStore;
import dev.semantic.store.MemoryCacheStore;
import dev.semantic.swap.SwapListener;
import dev.semantic.timeline.Timeline;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** Puts a {@link ModelRegistry} together. */
public final class RegistryBuilder {
  final ModelRuntime runtime;
  CacheStore caches = new MemoryCacheStore();
  MemoryBudget budget;
  ByteSize cacheBytes = ByteSize.ofGiB(1);
  EngineOptions engineOptions = EngineOptions.DEFAULTS;
  SwapJournal journal = SwapJournal.NONE;
  KeepAlivePolicy keepAlive = KeepAlivePolicy.UNLIMITED;
  int historyLength = 100;
  Timeline timeline = Timeline.SYSTEM;
  final List<SwapListener> listeners = new ArrayList<>();

  RegistryBuilder(ModelRuntime runtime) {
    this.runtime = Objects.requireNonNull(runtime, "runtime must not be null");
    this.budget = runtime.budget();
  }

  /** Where agents' caches outlive their model; without, in memory. */
  public RegistryBuilder caches(CacheStore value) {
    caches = Objects.requireNonNull(value, "caches must not be null");
    return this;
  }

  /** What models and caches may take together; without, what the runtime says. */
  public RegistryBuilder budget(MemoryBudget value) {
    budget = Objects.requireNonNull(value, "budget must not be null");
    return this;
  }

  /** What the caches of all agents in memory may take, out of the budget; without, 1 GiB. */
  public RegistryBuilder cacheBytes(ByteSize value) {
    cacheBytes = Objects.requireNonNull(value, "cacheBytes must not be null");
    return this;
  }

  public RegistryBuilder engine(EngineOptions value) {
    engineOptions = Objects.requireNonNull(value, "engine must not be null");
    return this;
  }

  /** What remembers a swap beyond the life of this process; without, nothing. */
  public RegistryBuilder journal(SwapJournal value) {
    journal = Objects.requireNonNull(value, "journal must not be null");
    return this;
  }

  /** Which models come at the start, and how long they stay; without, for as long as they serve. */
  public RegistryBuilder keepAlive(KeepAlivePolicy value) {
    keepAlive = Objects.requireNonNull(value, "keepAlive must not be null");
    return this;
  }

  /** How many reports are remembered; without, a hundred. */
  public RegistryBuilder historyLength(int value) {
    if (value < 1) {
      throw new IllegalArgumentException("A history has room for at least 1 report; not " + value);
    }
    historyLength = value;
    return this;
  }

  /** Hears of every swap. */
  public RegistryBuilder listener(SwapListener value) {
    listeners.add(Objects.requireNonNull(value, "listener must not be null"));
    return this;
  }

  /** For tests: where time, threads and locks come from. */
  RegistryBuilder timeline(Timeline value) {
    timeline = value;
    return this;
  }

  public ModelRegistry build() {
    return new ModelRegistry(this);
  }
}
