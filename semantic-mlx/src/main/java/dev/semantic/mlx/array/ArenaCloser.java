package dev.semantic.mlx.array;

import java.lang.foreign.Arena;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** Ends the writing of other threads into MLX's memory. */
final class ArenaCloser {
  private static final long PATIENCE = Duration.ofSeconds(30).toNanos();
  private static final long PAUSE = TimeUnit.MICROSECONDS.toNanos(200);

  private ArenaCloser() {}

  /**
   * Closes an arena. Java refuses that while a channel reads into one of its buffers, which takes a
   * moment only, unless the disk hangs.
   */
  static void end(Arena arena, String scope) {
    long start = System.nanoTime();
    while (true) {
      try {
        arena.close();
        return;
      } catch (IllegalStateException e) {
        if (System.nanoTime() - start > PATIENCE) {
          throw new IllegalStateException(
              "Memory of scope '%s' is still being written to, from a disk that does not answer"
                  .formatted(scope),
              e);
        }
        LockSupport.parkNanos(PAUSE);
      }
    }
  }
}
