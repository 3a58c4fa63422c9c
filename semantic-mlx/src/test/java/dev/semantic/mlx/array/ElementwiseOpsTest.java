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
        new Unary("tanh", Elementwise::tanh, Math::tanh),
        new Unary("sigmoid", Elementwise::sigmoid, x -> 1 / (1 + Math.exp(-x))),
        new Unary("silu", Elementwise::silu, x -> x / (1 + Math.exp(-x))),
        new Unary("geluTanh", Elementwise::geluTanh, ElementwiseOpsTest::geluTanh));
  }

  private static double geluTanh(double x) {
    return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
  }

  static Stream<Binary> binary() {
    return Stream.of(
        new Binary("add", Elementwise::add, Double::sum),
        new Binary("subtract", Elementwise::subtract, (a, b) -> a - b),
        new Binary("multiply", Elementwise::multiply, (a, b) -> a * b),
        new Binary("divide", Elementwise::divide, (a, b) -> a / b),
        new Binary("power", Elementwise::power, Math::pow),
        new Binary("maximum", Elementwise::maximum, Math::max),
        new Binary("minimum", Elementwise::minimum, Math::min));
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
          assertClose(make(64, i -> geluTanh(wide[i])), Elementwise.geluTanh(s, x), 64);
          assertClose(
              make(64, i -> wide[i] / (1 + Math.exp(-wide[i]))), Elementwise.silu(s, x), 64);
        });
  }

  @Test
  void comparisonsAndWhere() {
    OnMlx.run(
        s -> {
          MlxArray a = s.ints(1, 2, 3);
          MlxArray b = s.ints(2, 2, 2);
          assertTruth(new boolean[] {false, true, true}, s, Elementwise.greaterEqual(s, a, b));
          MlxArray less = Elementwise.less(s, a, b);
          assertTruth(new boolean[] {true, false, false}, s, less);
          MlxArray notLess = Elementwise.greaterEqual(s, a, b);
          assertTruth(
              new boolean[] {false, false, false}, s, Elementwise.logicalAnd(s, less, notLess));
          assertTruth(new boolean[] {true, false, false}, s, Elementwise.logicalAnd(s, less, less));
          int[] chosen = Elementwise.where(s, less, a, s.ints(7, 8, 9)).toInts();
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
          assertEquals(7, s.scalar(7, DType.INT32).toInts()[0]);
        });
  }
}
