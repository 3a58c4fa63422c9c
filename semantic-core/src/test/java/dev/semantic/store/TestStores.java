package dev.semantic.store;

import dev.semantic.store.format.CacheFormat;
import java.nio.file.Path;
import java.time.Clock;
import java.util.function.LongSupplier;

/** Stores whose time and disk are the test's. */
public final class TestStores {
  private TestStores() {}

  /** A store that takes the disk for as free as it is told, and looks at no limit by itself. */
  public static DiskCacheStore open(
      Path root, Clock clock, MaintenancePolicy policy, LongSupplier free) {
    CacheFormat usual = CacheFormat.usual();
    return DiskCacheStore.open(
        root,
        new CacheFormat(clock, usual.checksumBytes(), usual.blockTokens()),
        policy,
        where -> free.getAsLong());
  }
}
