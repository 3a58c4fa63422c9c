package dev.semantic.mlx.array;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.semantic.mlx.capi.ArrayCalls;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * An n-dimensional array in MLX: a node of a graph until it is evaluated, numbers afterwards. Lives
 * in a scope and dies with it. Used on the owner thread only.
 */
public final class MlxArray {
  private Scope scope;
  private int slot; // its place in the scope's list
  private long handle;
  private String name;
  private boolean view;
  private int @Nullable [] shape;
  private @Nullable DType dtype;

  MlxArray(Scope scope, int slot, long handle, String name) {
    this.scope = scope;
    this.slot = slot;
    this.handle = handle;
    this.name = name;
    LiveHandles.born(this);
  }

  long handle() {
    if (handle == 0) {
      throw new IllegalStateException(
          "Array '%s' was used after scope '%s' let go of it".formatted(name, scope.name()));
    }
    scope.requireOwner();
    return handle;
  }

  Scope scope() {
    return scope;
  }

  int slot() {
    return slot;
  }

  void move(Scope to, int newSlot) {
    scope = to;
    slot = newSlot;
  }

  void free() {
    long freed = handle;
    handle = 0;
    LiveHandles.freed(this);
    ArrayCalls.free(freed);
  }

  /** What it is called in messages: the operation that made it, unless it was named. */
  public String name() {
    return name;
  }

  /** The same array under a name that says more. */
  public MlxArray named(String newName) {
    name = newName;
    return this;
  }

  /** The same array, known to be another view of an array that is held as well. */
  public MlxArray asView() {
    view = true;
    return this;
  }

  boolean isView() {
    return view;
  }

  /** Lengths of its axes; a copy. */
  public int[] shape() {
    return shapeHere().clone();
  }

  private int[] shapeHere() {
    long alive = handle();
    int[] known = shape;
    if (known == null) {
      known = readShape(alive);
      shape = known;
    }
    return known;
  }

  private static int[] readShape(long handle) {
    int rank = Math.toIntExact(ArrayCalls.ndim(handle));
    return rank == 0
        ? new int[0]
        : CallBuffers.at(ArrayCalls.shape(handle), 4L * rank).toArray(JAVA_INT);
  }

  /** Number of axes. */
  public int rank() {
    return shapeHere().length;
  }

  /**
   * Length of one axis.
   *
   * @param axis negative counts from the end
   * @throws IndexOutOfBoundsException if there is no such axis
   */
  public int dim(int axis) {
    int[] lengths = shapeHere();
    int index = axis < 0 ? axis + lengths.length : axis;
    if (index < 0 || index >= lengths.length) {
      throw new IndexOutOfBoundsException(
          "Array '%s' of shape %s has no axis %d".formatted(name, Arrays.toString(lengths), axis));
    }
    return lengths[index];
  }

  /** The format of its numbers. */
  public DType dtype() {
    long alive = handle();
    DType known = dtype;
    if (known == null) {
      known = DType.ofCode(ArrayCalls.dtype(alive));
      dtype = known;
    }
    return known;
  }

  /** How many numbers. */
  public long size() {
    return ArrayCalls.size(handle());
  }

  /** Bytes of all numbers. */
  public long bytes() {
    return ArrayCalls.nbytes(handle());
  }

  /** Evaluates and copies out a float32 array of any shape, in row-major order. */
  public float[] toFloats() {
    requireType(DType.FLOAT32);
    float[] values = new float[Math.toIntExact(size())];
    read(MemorySegment.ofArray(values));
    return values;
  }

  /** Evaluates and copies out an int32 or uint32 array of any shape, in row-major order. */
  public int[] toInts() {
    if (dtype() != DType.UINT32) {
      requireType(DType.INT32);
    }
    int[] values = new int[Math.toIntExact(size())];
    read(MemorySegment.ofArray(values));
    return values;
  }

  private void requireType(DType wanted) {
    if (dtype() != wanted) {
      throw new IllegalStateException("Array '%s' is %s, not %s".formatted(name, dtype(), wanted));
    }
  }

  /**
   * Evaluates and copies the bytes out, in row-major order.
   *
   * @param target as large as {@link #bytes()} or larger
   */
  public void read(MemorySegment target) {
    if (size() == 0) {
      return;
    }
    try (Scope s = scope.child("read " + name)) {
      MlxArray rows = Ops.contiguous(s, this);
      s.eval(rows);
      MemorySegment data = CallBuffers.at(ArrayCalls.dataUint8(rows.handle()), rows.bytes());
      MemorySegment.copy(data, 0, target, 0, rows.bytes());
    }
  }

  /**
   * Evaluates and copies a part out of each row of rows: once, where the array lies in row-major
   * order, for a slice of it would be copied inside MLX before.
   *
   * @param from first index along the last axis but one
   * @param to the index behind the last
   * @param target where the part of the first row of rows goes
   * @param stride bytes from there to where that of the next goes
   */
  public void readSpans(int from, int to, MemorySegment target, long stride) {
    int[] lengths = shapeHere();
    int tokens = dim(-2);
    if (from < 0 || to > tokens || from > to) {
      throw new IndexOutOfBoundsException("%s has no %d to %d".formatted(this, from, to));
    }
    if (from == to || size() == 0) {
      return;
    }
    long width = (long) lengths[lengths.length - 1] * dtype().bytes();
    long rows = size() / tokens / lengths[lengths.length - 1];
    try (Scope s = scope.child("read " + name)) {
      s.eval(this);
      MlxArray plain = this;
      if (!CallBuffers.rowContiguous(handle())) {
        plain = Ops.contiguous(s, this);
        s.eval(plain);
      }
      MemorySegment data = CallBuffers.at(ArrayCalls.dataUint8(plain.handle()), plain.bytes());
      for (long row = 0; row < rows; row++) {
        long at = (row * tokens + from) * width;
        MemorySegment.copy(data, at, target, row * stride, (to - from) * width);
      }
    }
  }

  /**
   * The numbers themselves, as long as {@code arena} is open; only for arrays that were just
   * evaluated and lie in row-major order.
   */
  MemorySegment data(Arena arena) {
    if (!CallBuffers.rowContiguous(handle())) {
      throw new IllegalStateException("Array '" + name + "' does not lie in row-major order");
    }
    return CallBuffers.at(ArrayCalls.dataUint8(handle()), bytes(), arena);
  }

  /** Its name, format and shape; from another thread or after it was freed, only what is known. */
  @Override
  public String toString() {
    if (handle == 0) {
      return name + " (freed)";
    }
    return scope.isOwner()
        ? "%s %s %s".formatted(name, dtype(), Arrays.toString(shapeHere()))
        : name;
  }
}
