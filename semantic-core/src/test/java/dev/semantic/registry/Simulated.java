package dev.semantic.registry;

import dev.semantic.spi.ModelRuntime;
import dev.semantic.store.CacheStore;
import dev.semantic.timeline.Timeline;
import java.util.function.UnaryOperator;

/** Lets tests of other packages put a registry into another time, or over other ports. */
public final class Simulated {
  private Simulated() {}

  @SuppressWarnings("exports") // tests are nobody's API
  public static RegistryBuilder in(Timeline timeline, RegistryBuilder builder) {
    return builder.timeline(timeline);
  }

  /** The same registry over ports that something stands before. */
  public static RegistryBuilder over(
      UnaryOperator<ModelRuntime> runtime,
      UnaryOperator<CacheStore> caches,
      RegistryBuilder builder) {
    return ModelRegistry.builder(runtime.apply(builder.runtime))
        .budget(builder.budget)
        .cacheBytes(builder.cacheBytes)
        .engine(builder.engineOptions)
        .caches(caches.apply(builder.caches));
  }
}
