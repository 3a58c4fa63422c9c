package dev.semantic.mlx.array;

import static dev.semantic.mlx.array.Numbers.assertClose;
import static dev.semantic.mlx.array.Numbers.assertTruth;
import static dev.semantic.mlx.array.Numbers.make;
import static dev.semantic.mlx.array.Numbers.some;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.semantic.mlx.testing.RequiresNatives;
import java.util.function.DoubleBinaryOperator;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every operation that works element by element, against the same in plain Java. */
@RequiresNatives
class ElementwiseOpsTest {
  private static final float[] LEFT = {0.5f, 1, 2, 3.25f, 0.125f, 7};
  private static final float[] RIGHT = {2, 1, 0.25f, 3.5f, 4, 0.75f};

  interface UnaryOp {
    MlxArray apply(Scope s, MlxArray x);
  }

  interface BinaryOp {
    MlxArray apply(Scope s, MlxArray a, MlxArray b);
  }

  record Unary(String name, UnaryOp op, DoubleUnaryOperator java) {
    @Override
    public String toString() {
      return name;
    }
  }

  record Binary(String name, BinaryOp op, DoubleBinaryOperator java) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Unary> unary() {
    return Stream.of(
        new Unary("negative", Ops::negative, x -> -x),
        new Unary("exp", Ops::exp, Math::exp),
        new Unary("log", Ops::log, Math::log),
        new Unary("sqrt", Ops::sqrt, Math::sqrt),
        new Unary("rsqrt", Ops::rsqrt, x -> 1 / Math.sqrt(x)),
        new Unary("square", Ops::square, x -> x * x),
        new Unary("tanh", Ops::tanh, Math::tanh),
        new Unary("sigmoid", Ops::sigmoid, x -> 1 / (1 + Math.exp(-x))),
        new Unary("erf", Ops::erf, ElementwiseOpsTest::erf),
        new Unary("sin", Ops::sin, Math::sin),
        new Unary("cos", Ops::cos, Math::cos),
        new Unary("silu", Ops::silu, x -> x / (1 + Math.exp(-x))),
        new Unary("copy", Ops::copy, x -> x),
        new Unary("geluTanh", Ops::geluTanh, ElementwiseOpsTest::geluTanh));
  }

  /** By its power series, which converges everywhere. */
  private static double erf(double x) {
    double term = x;
    double sum = x;
    for (int n = 1; n < 200; n++) {
      term *= -x * x / n;
      sum += term / (2 * n + 1);
    }
    return 2 / Math.sqrt(Math.PI) * sum;
  }

  private static double geluTanh(double x) {
    return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
  }

  static Stream<Binary> binary() {
    return Stream.of(
        new Binary("add", Ops::add, Double::sum),
        new Binary("subtract", Ops::subtract, (a, b) -> a - b),
        new Binary("multiply", Ops::multiply, (a, b) -> a * b),
        new Binary("divide", Ops::divide, (a, b) -> a / b),
        new Binary("power", Ops::power, Math::pow),
        new Binary("maximum", Ops::maximum, Math::max),
        new Binary("minimum", Ops::minimum, Math::min));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("unary")
  void unaryAsInJava(Unary unary) {
    float[] numbers = {0.001f, 0.5f, 1, 2, 3.25f, 4};
    OnMlx.run(
        s ->
            assertClose(
                make(6, i -> unary.java.applyAsDouble(numbers[i])),
                unary.op.apply(s, s.floats(numbers, 2, 3)),
                2,
                3));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("binary")
  void binaryAsInJava(Binary binary) {
    OnMlx.run(
        s -> {
          MlxArray a = s.floats(LEFT, 3, 2);
          assertClose(
              make(6, i -> binary.java.applyAsDouble(LEFT[i], RIGHT[i])),
              binary.op.apply(s, a, s.floats(RIGHT, 3, 2)),
              3,
              2);
          // The smaller one is repeated along the axes it lacks.
          assertClose(
              make(6, i -> binary.java.applyAsDouble(LEFT[i], RIGHT[i % 2])),
              binary.op.apply(s, a, s.floats(new float[] {RIGHT[0], RIGHT[1]}, 2)),
              3,
              2);
        });
  }

  @Test
  void signsMatterToGeluAndSilu() {
    float[] numbers = some(1, 64);
    float[] wide = make(64, i -> numbers[i] * 12);
    OnMlx.run(
        s -> {
          MlxArray x = s.floats(wide, 64);
          assertClose(make(64, i -> geluTanh(wide[i])), Ops.geluTanh(s, x), 64);
          assertClose(make(64, i -> wide[i] / (1 + Math.exp(-wide[i]))), Ops.silu(s, x), 64);
        });
  }

  @Test
  void comparisonsAndWhere() {
    OnMlx.run(
        s -> {
          MlxArray a = s.ints(1, 2, 3);
          MlxArray b = s.ints(2, 2, 2);
          assertTruth(new boolean[] {false, true, false}, s, Ops.equal(s, a, b));
          assertTruth(new boolean[] {false, true, true}, s, Ops.greaterEqual(s, a, b));
          MlxArray less = Ops.less(s, a, b);
          assertTruth(new boolean[] {true, false, false}, s, less);
          MlxArray notLess = Ops.greaterEqual(s, a, b);
          assertTruth(new boolean[] {false, false, false}, s, Ops.logicalAnd(s, less, notLess));
          assertTruth(new boolean[] {true, false, false}, s, Ops.logicalAnd(s, less, less));
          int[] chosen = Ops.where(s, less, a, s.ints(7, 8, 9)).toInts();
          org.junit.jupiter.api.Assertions.assertArrayEquals(new int[] {1, 8, 9}, chosen);
        });
  }

  @Test
  void scalarsTakeTheFormatAsked() {
    OnMlx.run(
        s -> {
          assertEquals(DType.FLOAT32, s.scalar(1.5f).dtype());
          assertEquals(0, s.scalar(1.5f).rank());
          MlxArray half = s.scalar(1.5f, DType.FLOAT16);
          assertEquals(DType.FLOAT16, half.dtype());
          assertEquals(2, half.bytes());
          assertEquals(7, s.scalar(7, DType.INT32).item());
        });
  }
}
