package dev.semantic.mlx.template;

/** Parses what can be assigned to: a name, several of them, or a namespace's attribute. */
final class TargetParser {
  private final TokenReader in;
  private final ExpressionParser expressions;

  TargetParser(TokenReader in, ExpressionParser expressions) {
    this.in = in;
    this.expressions = expressions;
  }

  /**
   * @param namespaces whether an attribute may be set, as only {@code set} does
   */
  Expr parse(boolean namespaces) {
    Expr first = one(namespaces);
    Expr target =
        in.peek().isOperator(",") ? expressions.tuple(first, () -> one(namespaces)) : first;
    check(target, namespaces);
    return target;
  }

  private Expr one(boolean namespaces) {
    Expr target = expressions.primary();
    return namespaces && target instanceof Expr.Name name && in.accept(".")
        ? new Expr.Attribute(name.at(), name, in.expectName().text())
        : target;
  }

  private static void check(Expr target, boolean namespaces) {
    switch (target) {
      case Expr.Name name -> {}
      case Expr.Attribute attribute when namespaces -> {}
      case Expr.TupleOf tuple -> tuple.items().forEach(item -> check(item, namespaces));
      default -> throw new TemplateException(target.at(), "This cannot be assigned to");
    }
  }
}
