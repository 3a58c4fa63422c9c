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
  private static final MethodHandle NEGATIVE =
      Symbols.function("mlx_negative", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle MAXIMUM =
      Symbols.function("mlx_maximum", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle MINIMUM =
      Symbols.function("mlx_minimum", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle POWER =
      Symbols.function("mlx_power", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle EXP =
      Symbols.function("mlx_exp", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle LOG =
      Symbols.function("mlx_log", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle SQRT =
      Symbols.function("mlx_sqrt", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle RSQRT =
      Symbols.function("mlx_rsqrt", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle SQUARE =
      Symbols.function("mlx_square", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle TANH =
      Symbols.function("mlx_tanh", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle SIGMOID =
      Symbols.function("mlx_sigmoid", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle ERF =
      Symbols.function("mlx_erf", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle SIN =
      Symbols.function("mlx_sin", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle COS =
      Symbols.function("mlx_cos", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle EQUAL =
      Symbols.function("mlx_equal", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_LONG);
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

  /** {@code int mlx_negative(mlx_array* res, const mlx_array a, const mlx_stream s)}. */
  public static void negative(MemorySegment res, long a, long stream) {
    int status;
    try {
      status = (int) NEGATIVE.invokeExact(res, a, stream);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_negative", t);
    }
    MlxError.check(status, "mlx_negative");
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

  /** {@code int mlx_exp(mlx_array* res, const mlx_array a, const mlx_stream s)}. */
  public static void exp(MemorySegment res, long a, long stream) {
    int status;
    try {
      status = (int) EXP.invokeExact(res, a, stream);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_exp", t);
    }
    MlxError.check(status, "mlx_exp");
  }

  /** {@code int mlx_log(mlx_array* res, const mlx_array a, const mlx_stream s)}. */
  public static void log(MemorySegment res, long a, long stream) {
    int status;
    try {
      status = (int) LOG.invokeExact(res, a, stream);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_log", t);
    }
    MlxError.check(status, "mlx_log");
  }

  /** {@code int mlx_sqrt(mlx_array* res, const mlx_array a, const mlx_stream s)}. */
  public static void sqrt(MemorySegment res, long a, long stream) {
    int status;
    try {
      status = (int) SQRT.invokeExact(res, a, stream);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_sqrt", t);
    }
    MlxError.check(status, "mlx_sqrt");
  }

  /** {@code int mlx_rsqrt(mlx_array* res, const mlx_array a, const mlx_stream s)}. */
  public static void rsqrt(MemorySegment res, long a, long stream) {
    int status;
    try {
      status = (int) RSQRT.invokeExact(res, a, stream);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_rsqrt", t);
    }
    MlxError.check(status, "mlx_rsqrt");
  }

  /** {@code int mlx_square(mlx_array* res, const mlx_array a, const mlx_stream s)}. */
  public static void square(MemorySegment res, long a, long stream) {
    int status;
    try {
      status = (int) SQUARE.invokeExact(res, a, stream);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_square", t);
    }
    MlxError.check(status, "mlx_square");
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

  /** {@code int mlx_erf(mlx_array* res, const mlx_array a, const mlx_stream s)}. */
  public static void erf(MemorySegment res, long a, long stream) {
    int status;
    try {
      status = (int) ERF.invokeExact(res, a, stream);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_erf", t);
    }
    MlxError.check(status, "mlx_erf");
  }

  /** {@code int mlx_sin(mlx_array* res, const mlx_array a, const mlx_stream s)}. */
  public static void sin(MemorySegment res, long a, long stream) {
    int status;
    try {
      status = (int) SIN.invokeExact(res, a, stream);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_sin", t);
    }
    MlxError.check(status, "mlx_sin");
  }

  /** {@code int mlx_cos(mlx_array* res, const mlx_array a, const mlx_stream s)}. */
  public static void cos(MemorySegment res, long a, long stream) {
    int status;
    try {
      status = (int) COS.invokeExact(res, a, stream);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_cos", t);
    }
    MlxError.check(status, "mlx_cos");
  }

  /**
   * {@code int mlx_equal(mlx_array* res, const mlx_array a, const mlx_array b, const mlx_stream
   * s)}.
   */
  public static void equal(MemorySegment res, long a, long b, long stream) {
    int status;
    try {
      status = (int) EQUAL.invokeExact(res, a, b, stream);
    } catch (Throwable t) {
      throw Symbols.unexpected("mlx_equal", t);
    }
    MlxError.check(status, "mlx_equal");
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
