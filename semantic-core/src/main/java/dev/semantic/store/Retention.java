package dev.semantic.store;

import dev.semantic.memory.ByteSize;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;

/**
 * How much of one kind of caches is kept on disk. What goes beyond is removed, least recently used
 * first; a block that several agents share counts once, and goes with the last of them. Immutable.
 *
 * @param bytes what they may occupy together
 * @param age for how long one may be neither parked nor loaded; in quarantine, how long it may lie
 *     there
 * @param freeDisk what is to be left free on the disk for others; caches go until it is
 */
public record Retention(Optional<ByteSize> bytes, Optional<Duration> age, ByteSize freeDisk) {
  /** Everything stays for ever. */
  public static final Retention UNLIMITED =
      new Retention(Optional.empty(), Optional.empty(), ByteSize.ZERO);

  public Retention {
    Objects.requireNonNull(bytes, "bytes must not be null");
    Objects.requireNonNull(age, "age must not be null");
    Objects.requireNonNull(freeDisk, "freeDisk must not be null");
    if (age.filter(Duration::isNegative).isPresent()) {
      throw new IllegalArgumentException("Caches cannot be kept for " + age.get());
    }
  }

  public Retention withBytes(ByteSize value) {
    return new Retention(Optional.of(value), age, freeDisk);
  }

  public Retention withAge(Duration value) {
    return new Retention(bytes, Optional.of(value), freeDisk);
  }

  public Retention withFreeDisk(ByteSize value) {
    return new Retention(bytes, age, value);
  }

  boolean isUnlimited() {
    return equals(UNLIMITED);
  }
}
