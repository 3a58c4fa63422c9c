package dev.semantic.mlx.array;

import dev.semantic.mlx.capi.ArithmeticCalls;

/**
 * Operations number by number. Like those of {@link Ops}, each adds a node to MLX's graph and
 * computes nothing; shapes broadcast as in NumPy.
 */
public final class Elementwise {
  private Elementwise() {}

  public static MlxArray add(Scope s, MlxArray a, MlxArray b) {
    ArithmeticCalls.add(CallBuffers.result(), a.handle(), b.handle(), s.stream());
    return s.adoptResult("add");
  }

  public static MlxArray subtract(Scope s, MlxArray a, MlxArray b) {
    ArithmeticCalls.subtract(CallBuffers.result(), a.handle(), b.handle(), s.stream());
    return s.adoptResult("subtract");
  }

  public static MlxArray multiply(Scope s, MlxArray a, MlxArray b) {
    ArithmeticCalls.multiply(CallBuffers.result(), a.handle(), b.handle(), s.stream());
    return s.adoptResult("multiply");
  }

  public static MlxArray divide(Scope s, MlxArray a, MlxArray b) {
    ArithmeticCalls.divide(CallBuffers.result(), a.handle(), b.handle(), s.stream());
    return s.adoptResult("divide");
  }

  public static MlxArray power(Scope s, MlxArray a, MlxArray b) {
    ArithmeticCalls.power(CallBuffers.result(), a.handle(), b.handle(), s.stream());
    return s.adoptResult("power");
  }

  public static MlxArray maximum(Scope s, MlxArray a, MlxArray b) {
    ArithmeticCalls.maximum(CallBuffers.result(), a.handle(), b.handle(), s.stream());
    return s.adoptResult("maximum");
  }

  public static MlxArray minimum(Scope s, MlxArray a, MlxArray b) {
    ArithmeticCalls.minimum(CallBuffers.result(), a.handle(), b.handle(), s.stream());
    return s.adoptResult("minimum");
  }

  public static MlxArray greaterEqual(Scope s, MlxArray a, MlxArray b) {
    ArithmeticCalls.greaterEqual(CallBuffers.result(), a.handle(), b.handle(), s.stream());
    return s.adoptResult("greaterEqual");
  }

  public static MlxArray less(Scope s, MlxArray a, MlxArray b) {
    ArithmeticCalls.less(CallBuffers.result(), a.handle(), b.handle(), s.stream());
    return s.adoptResult("less");
  }

  public static MlxArray logicalAnd(Scope s, MlxArray a, MlxArray b) {
    ArithmeticCalls.logicalAnd(CallBuffers.result(), a.handle(), b.handle(), s.stream());
    return s.adoptResult("logicalAnd");
  }

  public static MlxArray tanh(Scope s, MlxArray x) {
    ArithmeticCalls.tanh(CallBuffers.result(), x.handle(), s.stream());
    return s.adoptResult("tanh");
  }

  public static MlxArray sigmoid(Scope s, MlxArray x) {
    ArithmeticCalls.sigmoid(CallBuffers.result(), x.handle(), s.stream());
    return s.adoptResult("sigmoid");
  }

  /** {@code a} where the condition holds, else {@code b}. */
  public static MlxArray where(Scope s, MlxArray condition, MlxArray a, MlxArray b) {
    ArithmeticCalls.where(
        CallBuffers.result(), condition.handle(), a.handle(), b.handle(), s.stream());
    return s.adoptResult("where");
  }

  /** {@code x * sigmoid(x)} (Elfwing et al. 2017). */
  public static MlxArray silu(Scope s, MlxArray x) {
    return multiply(s, x, sigmoid(s, x));
  }

  /**
   * GELU by its tanh approximation (Hendrycks, Gimpel 2016), written with a sigmoid: {@code 0.5 (1
   * + tanh z) = sigmoid(2 z)} saves three operations. In 16 bits it is spelt out: there every
   * operation rounds, and models were trained with these.
   */
  public static MlxArray geluTanh(Scope s, MlxArray x) {
    if (x.dtype() != DType.FLOAT32) {
      return geluSpelt(s, x);
    }
    double twice = 2 * Math.sqrt(2 / Math.PI);
    MlxArray cubic = s.scalar((float) (0.044715 * twice), x.dtype());
    MlxArray linear = s.scalar((float) twice, x.dtype());
    MlxArray slope = add(s, multiply(s, multiply(s, x, x), cubic), linear);
    return multiply(s, x, sigmoid(s, multiply(s, slope, x)));
  }

  private static MlxArray geluSpelt(Scope s, MlxArray x) {
    DType type = x.dtype();
    MlxArray cube = multiply(s, s.scalar(0.044715f, type), power(s, x, s.scalar(3, type)));
    MlxArray inner = multiply(s, s.scalar((float) Math.sqrt(2 / Math.PI), type), add(s, x, cube));
    MlxArray gate = add(s, s.scalar(1, type), tanh(s, inner));
    return multiply(s, multiply(s, s.scalar(0.5f, type), x), gate);
  }

  /** {@code cap * tanh(x / cap)}: bent to stay within {@code cap}. */
  public static MlxArray softcap(Scope s, MlxArray x, float cap) {
    MlxArray limit = s.scalar(cap, x.dtype());
    return multiply(s, tanh(s, divide(s, x, limit)), limit);
  }
}
