package dev.semantic.mlx.array;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.semantic.mlx.capi.ArrayCalls;
import dev.semantic.mlx.capi.RuntimeCalls;
import dev.semantic.mlx.capi.UninitializedArray;
import dev.semantic.mlx.capi.VectorCalls;
import dev.semantic.mlx.capi.os.HugePages;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Where arrays live: closing a scope frees its arrays and those of the scopes below it. Used on the
 * owner thread only.
 *
 * <p>Close the scope in which a graph was built <em>before</em> evaluating its result: MLX reuses
 * the memory of an intermediate only when nobody else holds it.
 */
public final class Scope implements AutoCloseable {
  private final MlxSession session;
  private final String name;
  private final @Nullable Scope parent;
  private final List<MlxArray> arrays = new ArrayList<>();
  private final List<Scope> children = new ArrayList<>();
  private @Nullable Arena writers; // shared, for as long as others may write
  private volatile boolean closed;

  Scope(MlxSession session, @Nullable Scope parent, String name) {
    this.session = session;
    this.parent = parent;
    this.name = name;
  }

  /** A scope that closes with this one, if not before. */
  public Scope child(String childName) {
    requireOpen();
    Scope child = new Scope(session, this, childName);
    children.add(child);
    return child;
  }

  public String name() {
    return name;
  }

  /** Arrays in this scope, those of its children not counted. */
  public int liveArrays() {
    return arrays.size();
  }

  /** Makes an array live as long as this scope, whichever it came from. */
  public MlxArray keep(MlxArray array) {
    requireOpen();
    array.handle(); // is alive
    array.scope().remove(array);
    array.move(this, arrays.size());
    arrays.add(array);
    return array;
  }

  /** Frees one array of this scope now. */
  public void release(MlxArray array) {
    array.handle();
    if (array.scope() != this) {
      throw new IllegalArgumentException(
          "Array '%s' lives in scope '%s', not in '%s'"
              .formatted(array.name(), array.scope().name(), name));
    }
    remove(array);
    array.free();
  }

  private void remove(MlxArray array) {
    MlxArray last = arrays.removeLast();
    if (last != array) {
      arrays.set(array.slot(), last);
      last.move(this, array.slot());
    }
  }

  /** Takes over a handle that a call has just made. */
  MlxArray adopt(long handle, String what) {
    MlxArray array = new MlxArray(this, arrays.size(), handle, what);
    arrays.add(array);
    return array;
  }

  MlxArray adoptResult(String what) {
    return adopt(CallBuffers.made(what), what);
  }

  /** The stream of this session's device. */
  long stream() {
    requireOpen();
    return session.stream();
  }

  /** Whether MLX's fused operations are kernels of their own here; on a CPU they are spelt out. */
  public boolean hasFusedKernels() {
    return session.gpu();
  }

  /** A vector of int32. */
  public MlxArray ints(int... values) {
    return ints(values, values.length);
  }

  /** An int32 array of any shape. */
  public MlxArray ints(int[] values, int... shape) {
    return copyOf(MemorySegment.ofArray(values), DType.INT32, shape);
  }

  /** A float32 array of any shape. */
  public MlxArray floats(float[] values, int... shape) {
    return copyOf(MemorySegment.ofArray(values), DType.FLOAT32, shape);
  }

  /** A float32 number. */
  public MlxArray scalar(float value) {
    requireOpen();
    return adopt(ArrayCalls.newFloat32(value), "scalar");
  }

  /** A number in another format. */
  public MlxArray scalar(float value, DType type) {
    MlxArray number = scalar(value);
    return type == DType.FLOAT32 ? number : Ops.astype(this, number, type);
  }

  /**
   * An array with a copy of {@code data}.
   *
   * @param data row-major; exactly as many bytes as the shape needs
   */
  public MlxArray copyOf(MemorySegment data, DType type, int... shape) {
    requireOpen();
    long bytes = requireRoom(type, shape);
    if (data.byteSize() != bytes) {
      throw new IllegalArgumentException(
          "%d bytes do not make a %s array of shape %s"
              .formatted(data.byteSize(), type, Arrays.toString(shape)));
    }
    if (data.isNative()) {
      return made(data, type, shape);
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment outside = arena.allocate(Math.max(bytes, 1), 16);
      MemorySegment.copy(data, 0, outside, 0, bytes);
      return made(outside, type, shape);
    }
  }

  private static long bytes(DType type, int[] shape) {
    long bytes = type.bytes();
    for (int length : shape) {
      if (length < 0 || (length > 0 && bytes > Long.MAX_VALUE / length)) {
        throw new IllegalArgumentException("No array has the shape " + Arrays.toString(shape));
      }
      bytes *= length;
    }
    return bytes;
  }

  /** Refuses a shape that is none, or that would not fit into memory; returns its bytes. */
  long requireRoom(DType type, int... shape) {
    long bytes = bytes(type, shape);
    if (!session.gpu()) {
      MemoryGuard.requireBesides(
          bytes, "A %s array of shape %s".formatted(type, Arrays.toString(shape)));
    }
    return bytes;
  }

  private MlxArray made(MemorySegment data, DType type, int[] shape) {
    return adopt(
        ArrayCalls.newData(data, CallBuffers.ints(shape), shape.length, type.code()), "data");
  }

  public MlxArray zeros(DType type, int... shape) {
    return Ops.zeros(this, type, shape);
  }

  /**
   * An array that nobody has written to: once it is evaluated, {@link #writable} tells where its
   * numbers go. On a CPU its memory is not touched before that. Weights are the bulk of all memory,
   * and to zero or to copy them would take as long again as to read them.
   */
  public MlxArray unfilled(DType type, int... shape) {
    requireOpen();
    long bytes = requireRoom(type, shape);
    if (session.gpu() || bytes == 0 || type.numpy().isEmpty()) {
      return zeros(type, shape);
    }
    UninitializedArray.load(CallBuffers.result(), type.numpy(), shape, stream());
    return adoptResult("unfilled");
  }

  /**
   * Where the numbers of an evaluated array of this scope are, row-major. Any thread may write, as
   * long as the scope is open and until {@link #endWriting}; then it is refused with an {@link
   * IllegalStateException}, for the memory may be somebody else's by now.
   */
  @SuppressWarnings(
      "MustBeClosedChecker") // closed by endWriting, and with this scope at the latest
  public MemorySegment writable(MlxArray array) {
    requireOpen();
    if (array.scope() != this) {
      throw new IllegalArgumentException(
          "Array '%s' lives in scope '%s', not in '%s'"
              .formatted(array.name(), array.scope().name(), name));
    }
    if (array.size() == 0) {
      return MemorySegment.NULL;
    }
    Arena writing = writers == null ? Arena.ofShared() : writers;
    writers = writing;
    MemorySegment memory = array.data(writing);
    HugePages.adviseFor(memory);
    return memory;
  }

  /**
   * Takes back what {@link #writable} gave; when this returns, nobody writes any more. Waits for a
   * read from a disk that is under way; the next one is refused.
   *
   * @throws IllegalStateException if one does not come back; then the memory cannot be freed, ever
   */
  public void endWriting() {
    requireOwner();
    Arena writing = writers;
    writers = null;
    if (writing != null) {
      ArenaCloser.end(writing, name);
    }
  }

  /** Computes the arrays and waits for them. */
  public void eval(MlxArray... wanted) {
    eval(List.of(wanted));
  }

  /** Computes the arrays and waits for them. */
  public void eval(Collection<MlxArray> wanted) {
    requireOpen();
    if (!session.gpu()) {
      wanted.forEach(array -> MemoryGuard.require(array.bytes(), array.name()));
    }
    long vector = vector(wanted);
    try {
      RuntimeCalls.eval(vector);
    } finally {
      VectorCalls.vectorArrayFree(vector);
    }
  }

  /** An mlx_vector_array of these; the caller frees it. */
  static long vector(Collection<MlxArray> arrays) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment handles = arena.allocate(JAVA_LONG, Math.max(1, arrays.size()));
      int i = 0;
      for (MlxArray array : arrays) {
        handles.setAtIndex(JAVA_LONG, i++, array.handle());
      }
      return VectorCalls.vectorArrayNewData(handles, arrays.size());
    }
  }

  boolean isOwner() {
    return session.owner().isCurrent();
  }

  void requireOwner() {
    session.owner().require("Scope '" + name + "'");
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("Scope '" + name + "' is closed");
    }
    requireOwner();
  }

  /** Whether it was closed, by whomever. Any thread. */
  public boolean isClosed() {
    return closed;
  }

  /** Frees what it can: one array that MLX does not take back must not keep the others. */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    requireOwner();
    closed = true;
    endWriting();
    CloseAll attempts = new CloseAll();
    List.copyOf(children).forEach(child -> attempts.at(child::close));
    arrays.forEach(array -> attempts.at(array::free));
    arrays.clear();
    if (parent == null) {
      session.forget(this);
    } else {
      parent.children.remove(this);
    }
    attempts.rethrow();
  }

  /** Every array of this scope and those below it. */
  void forEach(Consumer<MlxArray> action) {
    arrays.forEach(action);
    children.forEach(child -> child.forEach(action));
  }

  @Override
  public String toString() {
    return parent == null ? name : parent + " / " + name;
  }
}
