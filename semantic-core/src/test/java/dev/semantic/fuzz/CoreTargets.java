package dev.semantic.fuzz;

import dev.semantic.cache.CacheFilesFuzz;
import java.util.List;

/** What the core reads that others wrote. */
public final class CoreTargets implements FuzzTarget.Catalog {
  @Override
  public List<String> names() {
    return List.of("caches");
  }

  @Override
  public FuzzTarget.Maker maker(String name) {
    return CacheFilesFuzz::make;
  }
}
