package dev.semantic.memory;

import java.util.List;
import java.util.Locale;

/**
 * What an unload gave back, by the runtime's own count of active bytes.
 *
 * @param before active just before the unload, with every sequence closed already: bytes of caches
 *     would otherwise pass for bytes of the model. The model's own where the runtime tells them
 *     apart, else all
 * @param afterUnload the same once the unload had returned
 * @param modelBytes by how much the load had raised what is active
 * @param left what is still held of it, if it is not gone and the runtime can tell
 */
public record ReclaimReport(
    ByteSize before, ByteSize afterUnload, ByteSize modelBytes, List<MemoryAllocation> left) {
  public ReclaimReport {
    left = List.copyOf(left);
  }

  /** Bytes that became free; zero if more is active than before. */
  public ByteSize reclaimed() {
    return new ByteSize(Math.max(0, before.bytes() - afterUnload.bytes()));
  }

  /** Bytes of the model that did not become free. */
  public ByteSize missing() {
    return new ByteSize(Math.max(0, modelBytes.bytes() - reclaimed().bytes()));
  }

  /** Which part of the model is gone, 0 to 1; 1 where the model took no memory. */
  public double reclaimedShare() {
    if (modelBytes.bytes() == 0) {
      return 1;
    }
    return Math.min(1, reclaimed().bytes() / (double) modelBytes.bytes());
  }

  /** Whether no more than this share of the model is left, 0 to 1. */
  public boolean within(double tolerance) {
    double missing = modelBytes.bytes() - (double) reclaimed().bytes();
    return missing <= tolerance * modelBytes.bytes();
  }

  /** {@code 513.1 MiB of 513.2 MiB reclaimed (99.98 %)}. */
  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "%s of %s reclaimed (%.2f %%)",
        reclaimed(),
        modelBytes,
        100 * reclaimedShare());
  }
}
