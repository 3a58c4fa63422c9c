package dev.semantic.mlx.capi;

import dev.semantic.memory.ByteSize;
import dev.semantic.mlx.MlxException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Memory that MLX points to. */
public final class Memory {
  private static final int LONGEST_TEXT = 64 * 1024;

  private Memory() {}

  /** {@code bytes} bytes from an address on; the caller knows that there are so many. */
  @SuppressWarnings("restricted")
  public static MemorySegment at(MemorySegment address, long bytes) {
    if (address.address() == 0) {
      // its allocator hands a failed malloc on
      throw new MlxException(
          "MLX got no memory for %s; a smaller model, or fewer programs beside this one, may help"
              .formatted(new ByteSize(bytes)));
    }
    return address.reinterpret(bytes);
  }

  /** The same, no longer than {@code arena} is open. */
  @SuppressWarnings("restricted")
  public static MemorySegment at(MemorySegment address, long bytes, Arena arena) {
    return at(address, bytes).reinterpret(arena, null);
  }

  /** The text at an address, up to its NUL. */
  @SuppressWarnings("restricted")
  public static String text(MemorySegment address) {
    return address.address() == 0 ? "" : address.reinterpret(LONGEST_TEXT).getString(0);
  }
}
