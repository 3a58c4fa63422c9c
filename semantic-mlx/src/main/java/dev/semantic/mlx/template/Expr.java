package dev.semantic.mlx.template;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What has a value. */
sealed interface Expr {
  Position at();

  record Literal(Position at, @Nullable Object value) implements Expr {}

  record Name(Position at, String name) implements Expr {}

  record ListOf(Position at, List<Expr> items) implements Expr {}

  record TupleOf(Position at, List<Expr> items) implements Expr {}

  record DictOf(Position at, List<Map.Entry<Expr, Expr>> pairs) implements Expr {}

  /** {@code x.name}. */
  record Attribute(Position at, Expr target, String name) implements Expr {}

  /** {@code x[index]}. */
  record Item(Position at, Expr target, Expr index) implements Expr {}

  /** {@code x[start:stop:step]}. */
  record Slice(
      Position at, Expr target, @Nullable Expr start, @Nullable Expr stop, @Nullable Expr step)
      implements Expr {}

  record Call(Position at, Expr target, Arguments arguments) implements Expr {}

  record Filter(Position at, Expr target, String name, Arguments arguments) implements Expr {}

  record Test(Position at, Expr target, String name, Arguments arguments, boolean negated)
      implements Expr {}

  record Unary(Position at, String operator, Expr operand) implements Expr {}

  record Binary(Position at, String operator, Expr left, Expr right) implements Expr {}

  /** {@code a < b <= c}. */
  record Comparison(Position at, Expr first, List<String> operators, List<Expr> others)
      implements Expr {}

  record Conditional(Position at, Expr condition, Expr then, @Nullable Expr otherwise)
      implements Expr {}

  /**
   * What a call is given.
   *
   * @param more a list with further arguments by place: {@code *more}
   * @param moreNamed a mapping with further ones by name: {@code **moreNamed}
   */
  record Arguments(
      List<Expr> positional,
      Map<String, Expr> named,
      @Nullable Expr more,
      @Nullable Expr moreNamed) {
    static final Arguments NONE = new Arguments(List.of(), Map.of(), null, null);
  }
}
