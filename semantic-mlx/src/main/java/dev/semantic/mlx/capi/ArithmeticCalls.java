package dev.semantic.mlx.capi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** Element by element: mlx-c ops.h, first part. */
public final class ArithmeticCalls {
  private static final MethodHandle ADD =
      Symbols.function("mlx_add", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle SUBTRACT =
      Symbols.function("mlx_subtract", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle MULTIPLY =
      Symbols.function("mlx_multiply", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle DIVIDE =
      Symbols.function("mlx_divide", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle MAXIMUM =
      Symbols.function("mlx_maximum", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle MINIMUM =
      Symbols.function("mlx_minimum", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle POWER =
      Symbols.function("mlx_power", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle TANH =
      Symbols.function("mlx_tanh", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle SIGMOID =
      Symbols.function("mlx_sigmoid", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle GREATER_EQUAL =
      Symbols.function("mlx_greater_equal", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle LESS =
      Symbols.function("mlx_less", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle LOGICAL_AND =
      Symbols.function("mlx_logical_and", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle WHERE =
      Symbols.function("mlx_where", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);

  private ArithmeticCalls() {}

  /**
   * {@code int mlx_add(mlx_array* res, const mlx_array a, const mlx_array b, const mlx_stream s)}.
   */
  public static void add(MemorySegment res, long a, long b, long stream) {
    int status;
    try {
      status = (int) ADD.invokeExact(res, a, b, stream);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_add", t);
    }
    MlxError.check(status, "mlx_add");
  }

  /**
   * {@code int mlx_subtract(mlx_array* res, const mlx_array a, const mlx_array b, const mlx_stream
   * s)}.
   */
  public static void subtract(MemorySegment res, long a, long b, long stream) {
    int status;
    try {
      status = (int) SUBTRACT.invokeExact(res, a, b, stream);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_subtract", t);
    }
    MlxError.check(status, "mlx_subtract");
  }

  /**
   * {@code int mlx_multiply(mlx_array* res, const mlx_array a, const mlx_array b, const mlx_stream
   * s)}.
   */
  public static void multiply(MemorySegment res, long a, long b, long stream) {
    int status;
    try {
      status = (int) MULTIPLY.invokeExact(res, a, b, stream);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_multiply", t);
    }
    MlxError.check(status, "mlx_multiply");
  }

  /**
   * {@code int mlx_divide(mlx_array* res, const mlx_array a, const mlx_array b, const mlx_stream
   * s)}.
   */
  public static void divide(MemorySegment res, long a, long b, long stream) {
    int status;
    try {
      status = (int) DIVIDE.invokeExact(res, a, b, stream);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_divide", t);
    }
    MlxError.check(status, "mlx_divide");
  }

  /**
   * {@code int mlx_maximum(mlx_array* res, const mlx_array a, const mlx_array b, const mlx_stream
   * s)}.
   */
  public static void maximum(MemorySegment res, long a, long b, long stream) {
    int status;
    try {
      status = (int) MAXIMUM.invokeExact(res, a, b, stream);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_maximum", t);
    }
    MlxError.check(status, "mlx_maximum");
  }

  /**
   * {@code int mlx_minimum(mlx_array* res, const mlx_array a, const mlx_array b, const mlx_stream
   * s)}.
   */
  public static void minimum(MemorySegment res, long a, long b, long stream) {
    int status;
    try {
      status = (int) MINIMUM.invokeExact(res, a, b, stream);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_minimum", t);
    }
    MlxError.check(status, "mlx_minimum");
  }

  /**
   * {@code int mlx_power(mlx_array* res, const mlx_array a, const mlx_array b, const mlx_stream
   * s)}.
   */
  public static void power(MemorySegment res, long a, long b, long stream) {
    int status;
    try {
      status = (int) POWER.invokeExact(res, a, b, stream);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_power", t);
    }
    MlxError.check(status, "mlx_power");
  }

  /** {@code int mlx_tanh(mlx_array* res, const mlx_array a, const mlx_stream s)}. */
  public static void tanh(MemorySegment res, long a, long stream) {
    int status;
    try {
      status = (int) TANH.invokeExact(res, a, stream);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_tanh", t);
    }
    MlxError.check(status, "mlx_tanh");
  }

  /** {@code int mlx_sigmoid(mlx_array* res, const mlx_array a, const mlx_stream s)}. */
  public static void sigmoid(MemorySegment res, long a, long stream) {
    int status;
    try {
      status = (int) SIGMOID.invokeExact(res, a, stream);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_sigmoid", t);
    }
    MlxError.check(status, "mlx_sigmoid");
  }

  /**
   * {@code int mlx_greater_equal(mlx_array* res, const mlx_array a, const mlx_array b, const
   * mlx_stream s)}.
   */
  public static void greaterEqual(MemorySegment res, long a, long b, long stream) {
    int status;
    try {
      status = (int) GREATER_EQUAL.invokeExact(res, a, b, stream);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_greater_equal", t);
    }
    MlxError.check(status, "mlx_greater_equal");
  }

  /**
   * {@code int mlx_less(mlx_array* res, const mlx_array a, const mlx_array b, const mlx_stream s)}.
   */
  public static void less(MemorySegment res, long a, long b, long stream) {
    int status;
    try {
      status = (int) LESS.invokeExact(res, a, b, stream);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_less", t);
    }
    MlxError.check(status, "mlx_less");
  }

  /**
   * {@code int mlx_logical_and(mlx_array* res, const mlx_array a, const mlx_array b, const
   * mlx_stream s)}.
   */
  public static void logicalAnd(MemorySegment res, long a, long b, long stream) {
    int status;
    try {
      status = (int) LOGICAL_AND.invokeExact(res, a, b, stream);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_logical_and", t);
    }
    MlxError.check(status, "mlx_logical_and");
  }

  /**
   * {@code int mlx_where(mlx_array* res, const mlx_array condition, const mlx_array x, const
   * mlx_array y, const mlx_stream s)}.
   */
  public static void where(MemorySegment res, long condition, long x, long y, long stream) {
    int status;
    try {
      status = (int) WHERE.invokeExact(res, condition, x, y, stream);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_where", t);
    }
    MlxError.check(status, "mlx_where");
  }
}
