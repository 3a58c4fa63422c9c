package dev.semantic.mlx.array;

import dev.semantic.mlx.capi.FastCalls;
import dev.semantic.mlx.capi.ReductionCalls;
import dev.semantic.mlx.capi.ShapeCalls;
import dev.semantic.mlx.capi.VectorCalls;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Operations on arrays. Each adds a node to MLX's graph and computes nothing; the result lives in
 * the scope given first. Shapes broadcast as in NumPy.
 */
public final class Ops {
  private static final MemorySegment AFFINE = Arena.global().allocateFrom("affine");
  private static final MemorySegment NO_MASK = Arena.global().allocateFrom("");
  private static final MemorySegment CAUSAL_MASK = Arena.global().allocateFrom("causal");
  private static final MemorySegment ARRAY_MASK = Arena.global().allocateFrom("array");

  private Ops() {}

  /** Which keys a query may see. */
  public sealed interface Mask {
    /** All. */
    Mask NONE = new None();

    /** Itself and what lies before it; the last query stands at the last key. */
    Mask CAUSAL = new Causal();

    /** Where {@code allowed}, boolean and broadcast to {@code [queries, keys]}, is true. */
    static Mask of(MlxArray allowed) {
      return new Allowed(allowed);
    }

    /** See {@link #NONE}. */
    record None() implements Mask {}

    /** See {@link #CAUSAL}. */
    record Causal() implements Mask {}

    /** See {@link #of}. */
    record Allowed(MlxArray allowed) implements Mask {}
  }

  /** The matrix product over the last two axes. */
  public static MlxArray matmul(Scope s, MlxArray a, MlxArray b) {
    ReductionCalls.matmul(CallBuffers.result(), a.handle(), b.handle(), s.stream());
    return s.adoptResult("matmul");
  }

  /**
   * Vectors times a matrix of a model's, which is held row by row.
   *
   * @param x {@code [.., in]}
   * @param transposed {@code [in, out]}, a view of {@code [out, in]}
   * @return {@code [.., out]}
   */
  public static MlxArray linear(Scope s, MlxArray x, MlxArray transposed) {
    if (!s.hasFusedKernels() && x.dtype() == DType.FLOAT32) {
      int in = transposed.dim(0);
      int height = SmallBatchMatmul.height(x.size() / Math.max(1, in), in, transposed.dim(1));
      if (height > 0) {
        return SmallBatchMatmul.of(s, x, transposed, height);
      }
    }
    return matmul(s, x, transposed);
  }

  /** {@code c + a b}. */
  public static MlxArray addmm(Scope s, MlxArray c, MlxArray a, MlxArray b) {
    ReductionCalls.addmm(
        CallBuffers.result(), c.handle(), a.handle(), b.handle(), 1f, 1f, s.stream());
    return s.adoptResult("addmm");
  }

  public static MlxArray reshape(Scope s, MlxArray x, int... shape) {
    ShapeCalls.reshape(
        CallBuffers.result(), x.handle(), CallBuffers.ints(shape), shape.length, s.stream());
    return s.adoptResult("reshape");
  }

  public static MlxArray transpose(Scope s, MlxArray x, int... axes) {
    ShapeCalls.transposeAxes(
        CallBuffers.result(), x.handle(), CallBuffers.ints(axes), axes.length, s.stream());
    return s.adoptResult("transpose");
  }

  public static MlxArray expandDims(Scope s, MlxArray x, int axis) {
    ShapeCalls.expandDims(CallBuffers.result(), x.handle(), axis, s.stream());
    return s.adoptResult("expandDims");
  }

  /** The part from {@code start} (inclusive) to {@code stop} (exclusive), one of each per axis. */
  public static MlxArray slice(Scope s, MlxArray x, int[] start, int[] stop) {
    ShapeCalls.slice(
        CallBuffers.result(),
        x.handle(),
        CallBuffers.ints(start),
        start.length,
        CallBuffers.moreInts(stop),
        stop.length,
        CallBuffers.ones(),
        start.length,
        s.stream());
    return s.adoptResult("slice");
  }

  /** {@code x} with the part from..to replaced; in place if nobody else holds {@code x}. */
  public static MlxArray sliceUpdate(
      Scope s, MlxArray x, MlxArray update, int[] start, int[] stop) {
    ShapeCalls.sliceUpdate(
        CallBuffers.result(),
        x.handle(),
        update.handle(),
        CallBuffers.ints(start),
        start.length,
        CallBuffers.moreInts(stop),
        stop.length,
        CallBuffers.ones(),
        start.length,
        s.stream());
    return s.adoptResult("sliceUpdate");
  }

  public static MlxArray concatenate(Scope s, int axis, MlxArray... arrays) {
    long stream = s.stream();
    long vector = Scope.vector(List.of(arrays));
    try {
      ShapeCalls.concatenateAxis(CallBuffers.result(), vector, axis, stream);
    } finally {
      VectorCalls.vectorArrayFree(vector);
    }
    return s.adoptResult("concatenate");
  }

  /** Members of {@code x} along an axis, by index. Indices are not checked: the caller does. */
  public static MlxArray take(Scope s, MlxArray x, MlxArray indices, int axis) {
    ShapeCalls.takeAxis(CallBuffers.result(), x.handle(), indices.handle(), axis, s.stream());
    return s.adoptResult("take");
  }

  /** The same numbers in another format. */
  public static MlxArray astype(Scope s, MlxArray x, DType type) {
    ShapeCalls.astype(CallBuffers.result(), x.handle(), type.code(), s.stream());
    return s.adoptResult("astype");
  }

  /** The same numbers in row-major order. */
  public static MlxArray contiguous(Scope s, MlxArray x) {
    ShapeCalls.contiguous(CallBuffers.result(), x.handle(), false, s.stream());
    return s.adoptResult("contiguous");
  }

  /** Refused when it would not fit into memory beside what is there. */
  public static MlxArray zeros(Scope s, DType type, int... shape) {
    long stream = s.stream(); // first: it refuses other threads
    s.requireRoom(type, shape);
    ShapeCalls.zeros(
        CallBuffers.result(), CallBuffers.ints(shape), shape.length, type.code(), stream);
    return s.adoptResult("zeros");
  }

  /** Numbers from {@code start} (inclusive) to {@code stop} (exclusive). */
  public static MlxArray arange(Scope s, double start, double stop, double step, DType type) {
    ShapeCalls.arange(CallBuffers.result(), start, stop, step, type.code(), s.stream());
    return s.adoptResult("arange");
  }

  public static MlxArray softmax(Scope s, MlxArray x, int axis) {
    ReductionCalls.softmaxAxis(CallBuffers.result(), x.handle(), axis, true, s.stream());
    return s.adoptResult("softmax");
  }

  /**
   * Root mean square normalisation over the last axis.
   *
   * @param weight {@code [width]}; null for none
   */
  public static MlxArray rmsNorm(Scope s, MlxArray x, @Nullable MlxArray weight, float eps) {
    FastCalls.rmsNorm(CallBuffers.result(), x.handle(), orNone(weight), eps, s.stream());
    return s.adoptResult("rmsNorm");
  }

  /**
   * Rotary positions, halves not interleaved.
   *
   * @param x {@code [batch, heads, tokens, headDim]}
   * @param offset position of the first token
   * @param wavelengths {@code [headDim / 2]}
   */
  public static MlxArray rope(Scope s, MlxArray x, int headDim, int offset, MlxArray wavelengths) {
    FastCalls.rope(
        CallBuffers.result(),
        x.handle(),
        headDim,
        false,
        0,
        1f,
        offset,
        wavelengths.handle(),
        s.stream());
    return s.adoptResult("rope");
  }

  /**
   * The same for sequences that stand at different positions.
   *
   * @param offsets int32 {@code [batch]}
   */
  public static MlxArray rope(
      Scope s, MlxArray x, int headDim, MlxArray offsets, MlxArray wavelengths) {
    FastCalls.ropeDynamic(
        CallBuffers.result(),
        x.handle(),
        headDim,
        false,
        0,
        1f,
        offsets.handle(),
        wavelengths.handle(),
        s.stream());
    return s.adoptResult("rope");
  }

  /**
   * The same, with wavelengths from one to {@code base}, as MLX itself computes them.
   *
   * @param offsets int32 {@code [batch]}
   * @param scale of positions
   */
  public static MlxArray rope(
      Scope s, MlxArray x, int headDim, MlxArray offsets, float base, float scale) {
    FastCalls.ropeDynamic(
        CallBuffers.result(),
        x.handle(),
        headDim,
        false,
        optional(Float.floatToRawIntBits(base)),
        scale,
        offsets.handle(),
        0,
        s.stream());
    return s.adoptResult("rope");
  }

  /**
   * Scaled dot-product attention (Vaswani et al. 2017); heads may be a multiple of kvHeads.
   *
   * @param q {@code [batch, heads, queries, headDim]}
   * @param k {@code [batch, kvHeads, keys, headDim]}
   * @param v {@code [batch, kvHeads, keys, headDim]}
   * @return {@code [batch, heads, queries, headDim]}
   */
  public static MlxArray attention(
      Scope s, MlxArray q, MlxArray k, MlxArray v, float scale, Mask mask) {
    MemorySegment mode =
        switch (mask) {
          case Mask.None() -> NO_MASK;
          case Mask.Causal() -> CAUSAL_MASK;
          case Mask.Allowed(MlxArray allowed) -> ARRAY_MASK;
        };
    long allowed = mask instanceof Mask.Allowed given ? given.allowed().handle() : 0;
    FastCalls.scaledDotProductAttention(
        CallBuffers.result(),
        q.handle(),
        k.handle(),
        v.handle(),
        scale,
        mode,
        allowed,
        0,
        false,
        s.stream());
    return s.adoptResult("attention");
  }

  /**
   * The product with a matrix in affine quantised form.
   *
   * @param weights uint32 {@code [out, in * bits / 32]}
   * @param scales {@code [out, in / groupSize]}
   * @param biases like {@code scales}
   */
  public static MlxArray quantizedMatmul(
      Scope s,
      MlxArray x,
      MlxArray weights,
      MlxArray scales,
      MlxArray biases,
      int groupSize,
      int bits) {
    ReductionCalls.quantizedMatmul(
        CallBuffers.result(),
        x.handle(),
        weights.handle(),
        scales.handle(),
        biases.handle(),
        true,
        optional(groupSize),
        optional(bits),
        AFFINE,
        s.stream());
    return s.adoptResult("quantizedMatmul");
  }

  /** Numbers from their affine quantised form, in the format of {@code scales}. */
  public static MlxArray dequantize(
      Scope s, MlxArray weights, MlxArray scales, MlxArray biases, int groupSize, int bits) {
    ReductionCalls.dequantize(
        CallBuffers.result(),
        weights.handle(),
        scales.handle(),
        biases.handle(),
        optional(groupSize),
        optional(bits),
        AFFINE,
        0,
        0,
        s.stream());
    return s.adoptResult("dequantize");
  }

  private static long orNone(@Nullable MlxArray array) {
    return array == null ? 0 : array.handle();
  }

  /** {@code struct {int value; bool has_value;}} in one register; the same with a float's bits. */
  private static long optional(int value) {
    return (1L << 32) | Integer.toUnsignedLong(value);
  }
}
