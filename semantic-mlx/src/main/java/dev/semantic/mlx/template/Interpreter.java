package dev.semantic.mlx.template;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Goes through all of a template once it is parsed: collects the names it reads, and refuses
 * filters and tests that do not exist. Below an {@code if} those may stand until they are reached,
 * as in jinja2.
 */
final class Interpreter {
  private final Set<String> names = new HashSet<>();
  private final boolean checks;

  private Interpreter(boolean checks) {
    this.checks = checks;
  }

  /**
   * @throws TemplateException naming a filter or test that does not exist
   */
  static void check(List<Node> nodes) {
    new Interpreter(true).nodes(nodes, false);
  }

  static TokenNames specials(List<Node> body) {
    Interpreter interpreter = new Interpreter(false);
    interpreter.nodes(body, false);
    return new TokenNames(
        interpreter.names.contains("caller"),
        interpreter.names.contains("kwargs"),
        interpreter.names.contains("varargs"));
  }

  /** The variables that an expression reads. */
  static Set<String> names(Expr expr) {
    Interpreter interpreter = new Interpreter(false);
    interpreter.expr(expr, false);
    return interpreter.names;
  }

  private void nodes(List<Node> nodes, boolean soft) {
    nodes.forEach(node -> node(node, soft));
  }

  private void node(Node node, boolean soft) {
    switch (node) {
      case Node.Print print -> expr(print.value(), soft);
      case Node.If branches -> {
        for (Map.Entry<Expr, List<Node>> branch : branches.branches()) {
          expr(branch.getKey(), true);
          nodes(branch.getValue(), true);
        }
        nodes(branches.otherwise(), true);
      }
      case Node.For loop -> {
        expr(loop.items(), soft);
        optional(loop.filter(), false);
        nodes(loop.body(), false);
        nodes(loop.otherwise(), false);
      }
      case Node.Assign assign -> {
        target(assign.target());
        expr(assign.value(), soft);
      }
      case Node.Capture capture -> {
        target(capture.target());
        capture.filters().forEach(filter -> expr(filter, false));
        nodes(capture.body(), false);
      }
      case Node.Macro macro -> procedure(macro.procedure());
      case Node.CallBlock block -> {
        expr(block.call(), soft);
        procedure(block.caller());
      }
      case Node.FilterBlock block -> {
        block.filters().forEach(filter -> expr(filter, false));
        nodes(block.body(), false);
      }
      case Node.With with -> {
        with.values().forEach(value -> node(value, soft));
        nodes(with.body(), false);
      }
      case Node.Text text -> {}
      case Node.Unset unset -> {}
      case Node.Break stop -> {}
      case Node.Continue next -> {}
    }
  }

  /** A namespace is read even where it is set; a plain name is not. */
  private void target(Expr target) {
    switch (target) {
      case Expr.Attribute attribute -> expr(attribute, false);
      case Expr.TupleOf tuple -> tuple.items().forEach(this::target);
      default -> {}
    }
  }

  private void procedure(Node.Procedure procedure) {
    procedure.parameters().forEach(parameter -> optional(parameter.defaultValue(), false));
    nodes(procedure.body(), false);
  }

  private void optional(@Nullable Expr expr, boolean soft) {
    if (expr != null) {
      expr(expr, soft);
    }
  }

  private void all(List<Expr> exprs, boolean soft) {
    exprs.forEach(expr -> expr(expr, soft));
  }

  private void expr(Expr expr, boolean soft) {
    Budget.look(16);
    try {
      within(expr, soft);
    } catch (StackOverflowError e) {
      throw TemplateException.tooDeep(expr.at());
    }
  }

  private void within(Expr expr, boolean soft) {
    switch (expr) {
      case Expr.Literal literal -> {}
      case Expr.Name name -> names.add(name.name());
      case Expr.ListOf list -> all(list.items(), soft);
      case Expr.TupleOf tuple -> all(tuple.items(), soft);
      case Expr.DictOf dict ->
          dict.pairs()
              .forEach(
                  pair -> {
                    expr(pair.getKey(), soft);
                    expr(pair.getValue(), soft);
                  });
      case Expr.Attribute attribute -> expr(attribute.target(), soft);
      case Expr.Item item -> {
        expr(item.target(), soft);
        expr(item.index(), soft);
      }
      case Expr.Slice slice -> {
        expr(slice.target(), soft);
        optional(slice.start(), soft);
        optional(slice.stop(), soft);
        optional(slice.step(), soft);
      }
      case Expr.Call call -> {
        expr(call.target(), soft);
        arguments(call.arguments(), soft);
      }
      case Expr.Filter filter -> {
        refuse(!Filters.exists(filter.name()), "filter", filter.name(), filter.at(), soft);
        expr(filter.target(), soft);
        arguments(filter.arguments(), soft);
      }
      case Expr.Test test -> {
        refuse(!Tests.exists(test.name()), "test", test.name(), test.at(), soft);
        expr(test.target(), soft);
        arguments(test.arguments(), soft);
      }
      case Expr.Unary unary -> expr(unary.operand(), soft);
      case Expr.Binary binary -> {
        expr(binary.left(), soft);
        expr(binary.right(), soft);
      }
      case Expr.Comparison comparison -> {
        expr(comparison.first(), soft);
        all(comparison.others(), soft);
      }
      case Expr.Conditional conditional -> {
        expr(conditional.condition(), true);
        expr(conditional.then(), true);
        optional(conditional.otherwise(), true);
      }
    }
  }

  private void refuse(boolean missing, String kind, String name, Position at, boolean soft) {
    if (checks && missing && !soft) {
      throw new TemplateException(at, "There is no " + kind + " '" + name + "'");
    }
  }

  private void arguments(Expr.Arguments arguments, boolean soft) {
    all(arguments.positional(), soft);
    arguments.named().values().forEach(value -> expr(value, soft));
    optional(arguments.more(), soft);
    optional(arguments.moreNamed(), soft);
  }
}
