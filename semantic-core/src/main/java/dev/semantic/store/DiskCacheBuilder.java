package dev.semantic.store;

import dev.semantic.kv.KvEncoding;
import dev.semantic.store.format.CacheFormat;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;

/** Opens a {@link DiskCacheStore} that is to do more than the usual one. */
public final class DiskCacheBuilder {
  private final Path root;
  private CacheFormat form = CacheFormat.usual();
  private MaintenancePolicy maintenance = MaintenancePolicy.DEFAULTS;

  DiskCacheBuilder(Path root) {
    this.root = Objects.requireNonNull(root, "root must not be null");
  }

  /**
   * How numbers are written; without, {@linkplain KvEncoding#EXACT exactly}. Files that were
   * written otherwise are read all the same; beginnings are shared only among those written alike.
   * What cannot be quantised, infinite numbers for instance, is written exactly.
   */
  public DiskCacheBuilder encoding(KvEncoding value) {
    form = form.with(Objects.requireNonNull(value, "encoding must not be null"));
    return this;
  }

  /**
   * Encrypts what is written, with AES-256-GCM; without, it lies open to whoever may read the
   * files. A store with a key uses only what was encrypted with that key, and one without only what
   * is open: the rest stays and counts as absent.
   */
  public DiskCacheBuilder encryption(CacheKey value) {
    form = form.with(Objects.requireNonNull(value, "encryption must not be null").files());
    return this;
  }

  /**
   * How long a cache may be used after it was parked; without, for good. What is older is removed,
   * when the store opens and when it comes upon it. Parking anew begins anew.
   *
   * @throws IllegalArgumentException if it is negative
   */
  public DiskCacheBuilder timeToLive(Duration value) {
    if (Objects.requireNonNull(value, "timeToLive must not be null").isNegative()) {
      throw new IllegalArgumentException("A time to live cannot be negative: " + value);
    }
    form = form.with(value);
    return this;
  }

  /** What becomes of caches over time; without, whatever is whole stays. */
  public DiskCacheBuilder maintenance(MaintenancePolicy value) {
    maintenance = Objects.requireNonNull(value, "maintenance must not be null");
    return this;
  }

  /**
   * Opens the store.
   *
   * @throws CacheException as {@link DiskCacheStore#open}
   */
  public DiskCacheStore open() {
    return DiskCacheStore.start(root, form, maintenance);
  }
}
