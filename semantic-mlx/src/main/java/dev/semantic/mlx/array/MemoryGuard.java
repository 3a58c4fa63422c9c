package dev.semantic.mlx.array;

import com.sun.management.OperatingSystemMXBean;
import dev.semantic.memory.ByteSize;
import dev.semantic.mlx.MlxException;
import dev.semantic.mlx.capi.RuntimeCalls;
import java.lang.management.ManagementFactory;

/**
 * Refuses arrays that this machine cannot hold. MLX's allocator for the CPU does not look at what
 * {@code malloc} returns: the next write ends the JVM. Checked are arrays made from a shape, where
 * absurd numbers enter, and what is evaluated; not what lies between the two. With a GPU, MLX
 * refuses by itself.
 */
final class MemoryGuard {
  private static final long MEMORY = memory();

  private MemoryGuard() {}

  private static long memory() {
    OperatingSystemMXBean system = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
    return system.getTotalMemorySize() + Math.max(0, system.getTotalSwapSpaceSize());
  }

  /** For bytes that come on top of what is in use. */
  static void requireBesides(long bytes, String what) {
    RuntimeCalls.getActiveMemory(CallBuffers.number());
    require(bytes, CallBuffers.numberRead(), what);
  }

  /** For bytes that may be in use already. */
  static void require(long bytes, String what) {
    require(bytes, 0, what);
  }

  private static void require(long bytes, long used, String what) {
    if (bytes > MEMORY - used) {
      throw new MlxException(
          "%s needs %s%s; this machine has %s. A smaller model or a shorter context may fit."
              .formatted(
                  what,
                  new ByteSize(bytes),
                  used == 0 ? "" : " besides the %s in use".formatted(new ByteSize(used)),
                  new ByteSize(MEMORY)));
    }
  }
}
