package dev.semantic.memory;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.util.Objects;

/**
 * The most memory that models and their caches may take together. Decides whether two models fit
 * beside each other during a swap.
 *
 * @param total not zero
 */
public record MemoryBudget(ByteSize total) {
  private static final long SYSTEM_SHARE_PERCENT = 75;

  public MemoryBudget {
    if (Objects.requireNonNull(total, "total must not be null").bytes() == 0) {
      throw new IllegalArgumentException("A memory budget must be more than 0 bytes");
    }
  }

  /**
   * Three quarters of the memory this process may use: the machine's, or its container's limit
   * (cgroup version 1 or 2) where that is less. The last quarter is what a JVM takes for its heap
   * unless told otherwise.
   */
  public static MemoryBudget ofSystem() {
    long bytes =
        ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getTotalMemorySize();
    return new MemoryBudget(new ByteSize(bytes / 100 * SYSTEM_SHARE_PERCENT));
  }

  /** Whether all of these fit in at the same time. */
  public boolean holds(ByteSize... parts) {
    long left = total.bytes();
    for (ByteSize part : parts) {
      if (part.bytes() > left) {
        return false;
      }
      left -= part.bytes();
    }
    return true;
  }
}
