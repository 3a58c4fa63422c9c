package dev.semantic.store;

import dev.semantic.io.Reason;
import dev.semantic.log.Log;
import dev.semantic.memory.ByteSize;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Whether there is room to park. After a disk was full, nothing is written to it before more of it
 * is free or a while has passed: half-written files would only take what is left. Said once when
 * that begins, and once when it ends.
 */
final class DiskSpaceGuard {
  private static final Log LOG = Log.of(DiskSpaceGuard.class);
  private static final Duration PAUSE = Duration.ofSeconds(30);
  private static final long NOTEWORTHY = 1 << 20;

  private final Path root;
  private final Clock clock;
  private final DiskSpace space;
  private final ByteSize floor;
  private @Nullable Instant since;
  private String why = "";
  private Instant nextTry = Instant.MIN;
  private long freeThen;

  DiskSpaceGuard(Path root, Clock clock, DiskSpace space, ByteSize floor) {
    this.root = root;
    this.clock = clock;
    this.space = space;
    this.floor = floor;
  }

  synchronized ParkingStatus status() {
    Instant begun = since;
    return begun == null ? new ParkingStatus.Parking() : new ParkingStatus.Suspended(begun, why);
  }

  /**
   * Before anything is written.
   *
   * @throws DiskFullException if there is no point in trying
   */
  synchronized void require() {
    if (since == null && floor.equals(ByteSize.ZERO)) {
      return;
    }
    long free = free();
    if (free < floor.bytes()) {
      suspend(
          "%s of the disk are free, less than the %s that are to stay so"
              .formatted(new ByteSize(free), floor),
          free);
    } else if (since == null
        || free >= freeThen + NOTEWORTHY
        || !clock.instant().isBefore(nextTry)) {
      return;
    }
    throw new DiskFullException(
        "Nothing can be parked in %s: %s. Free some of it; it is tried again by itself. What was parked before is unharmed"
            .formatted(root, why));
  }

  /** Something was parked. */
  synchronized void parked() {
    if (since != null) {
      LOG.info("There is room in {} again: agents are parked as before", root);
      since = null;
    }
  }

  /** Parking failed; whether that was because the disk is full. */
  synchronized boolean isFull(IOException e) {
    long free = free();
    String reason = Reason.of(e);
    boolean full = saysFull(e) || free < NOTEWORTHY;
    if (full) {
      suspend(reason, free);
    }
    return full;
  }

  private void suspend(String reason, long free) {
    why = reason;
    freeThen = free;
    nextTry = clock.instant().plus(PAUSE);
    if (since == null) {
      since = clock.instant();
      LOG.warn(
          "Nothing is parked in {} any more: {}. Agents go on from memory, and what was parked"
              + " before is whole; free some disk, or limit what is kept there. It is tried again"
              + " by itself.",
          root,
          reason);
    }
  }

  /** As Linux, macOS and Windows put it; a quota has no other sign. */
  private static boolean saysFull(IOException e) {
    String reason =
        e instanceof FileSystemException named && named.getReason() != null
            ? named.getReason()
            : String.valueOf(e.getMessage());
    String text = reason.toLowerCase(Locale.ROOT);
    return text.contains("no space left")
        || text.contains("quota exceeded")
        || text.contains("not enough space on the disk");
  }

  private long free() {
    try {
      return space.free(root);
    } catch (IOException e) {
      LOG.debug("Cannot tell how much of the disk of {} is free", root, e);
      return Long.MAX_VALUE / 2;
    }
  }
}
