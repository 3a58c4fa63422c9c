package dev.semantic.store;

import dev.semantic.fuzz.FuzzTarget;
import java.util.List;

/** What the core reads that others wrote. */
final class CacheTargets implements FuzzTarget.Catalog {
  @Override
  public List<String> names() {
    return List.of("caches");
  }

  @Override
  public FuzzTarget.Maker maker(String name) {
    return CacheFilesFuzz::make;
  }
}
