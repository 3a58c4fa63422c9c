package dev.semantic.mlx.template;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What is carried out, in order. */
sealed interface Node {
  record Text(String text) implements Node {}

  record Print(Expr value) implements Node {}

  record If(List<Map.Entry<Expr, List<Node>>> branches, List<Node> otherwise) implements Node {}

  /**
   * A loop.
   *
   * @param target a name, or a tuple where each item is taken apart
   * @param filter which items are gone through; null for all
   */
  record For(
      Position at,
      Expr target,
      Expr items,
      @Nullable Expr filter,
      boolean recursive,
      List<Node> body,
      List<Node> otherwise)
      implements Node {}

  /** {@code {% set a = x %}}, or {@code a, b = x}, or {@code namespace.a = x}. */
  record Assign(Expr target, Expr value) implements Node {}

  /** {@code {% set a %}…{% endset %}}. */
  record Capture(Expr target, List<Node> body, List<Expr.Filter> filters) implements Node {}

  record Macro(Position at, String name, Procedure procedure) implements Node {}

  /** {@code {% call(…) macro(…) %}…{% endcall %}}. */
  record CallBlock(Position at, Expr.Call call, Procedure caller) implements Node {}

  /** {@code {% filter upper %}…{% endfilter %}}. */
  record FilterBlock(List<Expr.Filter> filters, List<Node> body) implements Node {}

  /** {@code {% with a = x %}…{% endwith %}}, and {@code {% generation %}} with nothing assigned. */
  record With(List<Assign> values, List<Node> body) implements Node {}

  /** Names that a block sets further down: until then they have no value in it. */
  record Unset(Set<String> names) implements Node {}

  record Break() implements Node {}

  record Continue() implements Node {}

  /** What a macro and a call block have in common. */
  record Procedure(List<Parameter> parameters, List<Node> body, TokenNames uses) {}

  /** A macro's parameter; one without a default is undefined when it is not given. */
  record Parameter(String name, @Nullable Expr defaultValue) {}
}
