package dev.semantic.mlx.array;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.semantic.mlx.MlxException;
import dev.semantic.mlx.capi.ArrayCalls;
import dev.semantic.mlx.capi.Memory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The small native buffers that calls need for their arguments and results. Only the owner thread
 * calls, so one set serves all calls and nothing is allocated per call.
 */
final class CallBuffers {
  /** More axes than any array here has. */
  private static final int AXES = 16;

  private static final MemorySegment RESULT = Arena.global().allocate(JAVA_LONG);
  private static final MemorySegment NUMBER = Arena.global().allocate(JAVA_LONG);
  private static final MemorySegment FLAG = Arena.global().allocate(8);
  private static final MemorySegment FIRST = Arena.global().allocate(JAVA_INT, AXES);
  private static final MemorySegment SECOND = Arena.global().allocate(JAVA_INT, AXES);
  private static final MemorySegment ONES = Arena.global().allocate(JAVA_INT, AXES);

  static {
    for (int i = 0; i < AXES; i++) {
      ONES.setAtIndex(JAVA_INT, i, 1);
    }
  }

  private CallBuffers() {}

  /**
   * The slot for a new object. Empty between calls, because mlx-c would write into an object that
   * it finds there; not emptied here, where a thread may ask that is about to be refused.
   */
  static MemorySegment result() {
    return RESULT;
  }

  /** What the last call put into {@link #result()}, which is empty again. */
  static long made(String what) {
    long handle = RESULT.get(JAVA_LONG, 0);
    if (handle == 0) {
      throw new MlxException(what + ": MLX returned nothing");
    }
    RESULT.set(JAVA_LONG, 0, 0);
    return handle;
  }

  /** Where a call may put a size. */
  static MemorySegment number() {
    return NUMBER;
  }

  /** What the last call put into {@link #number()}. */
  static long numberRead() {
    return NUMBER.get(JAVA_LONG, 0);
  }

  static MemorySegment ints(int... values) {
    return fill(FIRST, values);
  }

  /** A second list of the same call. */
  static MemorySegment moreInts(int... values) {
    return fill(SECOND, values);
  }

  static MemorySegment ones() {
    return ONES;
  }

  private static MemorySegment fill(MemorySegment buffer, int[] values) {
    if (values.length > AXES) {
      throw new IllegalArgumentException("An array of " + values.length + " axes");
    }
    MemorySegment.copy(values, 0, buffer, JAVA_INT, 0, values.length);
    return buffer;
  }

  /** {@code bytes} bytes at an address that MLX returned. */
  static MemorySegment at(MemorySegment address, long bytes) {
    return Memory.at(address, bytes);
  }

  /** The same, for any thread, and no longer than {@code arena} is open. */
  static MemorySegment at(MemorySegment address, long bytes, Arena arena) {
    return Memory.at(address, bytes, arena);
  }

  static boolean rowContiguous(long handle) {
    ArrayCalls.isRowContiguous(FLAG, handle);
    return FLAG.get(ValueLayout.JAVA_BYTE, 0) != 0;
  }
}
