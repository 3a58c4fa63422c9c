package dev.semantic.mlx.template;

import dev.semantic.mlx.template.Python.Callable;
import dev.semantic.mlx.template.Python.Undefined;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;

/** Computes expressions. */
final class Evaluator {
  private final Budget budget;
  private final Filters filters;
  private final Predicates predicates;

  Evaluator(Budget budget) {
    this.budget = budget;
    this.predicates = new Predicates();
    this.filters = new Filters(predicates);
  }

  @Nullable Object value(Expr expr, Frame frame) {
    budget.step();
    try {
      return compute(expr, frame);
    } catch (TemplateException e) {
      throw e.placed(expr.at()); // the innermost place is the one that helps
    } catch (NoSuchElementException
        | IndexOutOfBoundsException
        | IllegalArgumentException
        | ArithmeticException e) {
      throw new TemplateException(
          expr.at(), "An argument is missing or of the wrong kind (%s)".formatted(e.getMessage()));
    }
  }

  private @Nullable Object compute(Expr expr, Frame frame) {
    return switch (expr) {
      case Expr.Literal literal -> literal.value();
      case Expr.Name name -> frame.get(name.name());
      case Expr.ListOf list -> all(list.items(), frame);
      case Expr.TupleOf tuple -> new Python.Tuple(all(tuple.items(), frame));
      case Expr.DictOf dict -> dict(dict, frame);
      case Expr.Attribute attribute ->
          Members.attribute(value(attribute.target(), frame), attribute.name());
      case Expr.Item item -> Members.item(value(item.target(), frame), value(item.index(), frame));
      case Expr.Slice slice ->
          Members.slice(
              value(slice.target(), frame),
              bound(slice.start(), frame),
              bound(slice.stop(), frame),
              bound(slice.step(), frame));
      case Expr.Call call -> call(call, frame);
      case Expr.Filter filter -> filter(filter, value(filter.target(), frame), frame);
      case Expr.Test test -> test(test, frame);
      case Expr.Unary unary -> unary(unary, frame);
      case Expr.Binary binary -> binary(binary, frame);
      case Expr.Comparison comparison -> compare(comparison, frame);
      case Expr.Conditional c ->
          Python.isTrue(value(c.condition(), frame))
              ? value(c.then(), frame)
              : c.otherwise() == null ? new Undefined("else") : value(c.otherwise(), frame);
    };
  }

  private List<@Nullable Object> all(List<Expr> items, Frame frame) {
    List<@Nullable Object> values = new ArrayList<>(items.size());
    for (Expr item : items) {
      values.add(value(item, frame));
    }
    return values;
  }

  private Map<@Nullable Object, @Nullable Object> dict(Expr.DictOf dict, Frame frame) {
    Map<@Nullable Object, @Nullable Object> map = new LinkedHashMap<>();
    for (Map.Entry<Expr, Expr> pair : dict.pairs()) {
      map.put(value(pair.getKey(), frame), value(pair.getValue(), frame));
    }
    return map;
  }

  private @Nullable Object bound(@Nullable Expr expr, Frame frame) {
    return expr == null ? null : value(expr, frame);
  }

  private @Nullable Object call(Expr.Call call, Frame frame) {
    Object target = value(call.target(), frame);
    Callable callable =
        switch (target) {
          case Callable c -> c;
          case LoopState loop when loop.again() != null -> loop.again();
          case null, default ->
              throw new TemplateException(Python.type(target) + " cannot be called");
        };
    budget.enter();
    try {
      return counted(
          callable.call(
              all(call.arguments().positional(), frame), named(call.arguments().named(), frame)));
    } finally {
      budget.leave();
    }
  }

  Map<String, @Nullable Object> named(Map<String, Expr> arguments, Frame frame) {
    Map<String, @Nullable Object> values = new LinkedHashMap<>();
    arguments.forEach((name, expr) -> values.put(name, value(expr, frame)));
    return values;
  }

  @Nullable Object filter(Expr.Filter filter, @Nullable Object target, Frame frame) {
    return counted(
        filters.apply(
            filter.name(),
            target,
            all(filter.arguments().positional(), frame),
            named(filter.arguments().named(), frame)));
  }

  /** What a template computes counts as if it wrote it: it takes memory all the same. */
  private @Nullable Object counted(@Nullable Object result) {
    if (result instanceof String text) {
      budget.write(text.length());
    } else if (result instanceof List<?> list) {
      budget.write(list.size());
    }
    return result;
  }

  private boolean test(Expr.Test test, Frame frame) {
    boolean holds =
        predicates.holds(
            test.name(), value(test.target(), frame), all(test.arguments().positional(), frame));
    return holds != test.negated();
  }

  private @Nullable Object unary(Expr.Unary unary, Frame frame) {
    Object operand = value(unary.operand(), frame);
    return switch (unary.operator()) {
      case "not" -> !Python.isTrue(operand);
      case "-" ->
          Python.isInteger(operand) ? (Object) (-Python.integer(operand)) : -Python.number(operand);
      default -> operand;
    };
  }

  private @Nullable Object binary(Expr.Binary binary, Frame frame) {
    Object left = value(binary.left(), frame);
    return switch (binary.operator()) {
      case "and" -> Python.isTrue(left) ? value(binary.right(), frame) : left;
      case "or" -> Python.isTrue(left) ? left : value(binary.right(), frame);
      case "~" -> {
        Object right = value(binary.right(), frame);
        yield counted(Python.text(left) + Python.text(right));
      }
      default -> counted(Arithmetic.apply(binary.operator(), left, value(binary.right(), frame)));
    };
  }

  private boolean compare(Expr.Comparison comparison, Frame frame) {
    Object left = value(comparison.first(), frame);
    for (int i = 0; i < comparison.operators().size(); i++) {
      Object right = value(comparison.others().get(i), frame);
      if (!holds(comparison.operators().get(i), left, right)) {
        return false;
      }
      left = right;
    }
    return true;
  }

  private static boolean holds(String operator, @Nullable Object left, @Nullable Object right) {
    return switch (operator) {
      case "==" -> Python.equal(left, right);
      case "!=" -> !Python.equal(left, right);
      case "in" -> Python.contains(right, left);
      case "not in" -> !Python.contains(right, left);
      case "<" -> Python.compare(left, right) < 0;
      case "<=" -> Python.compare(left, right) <= 0;
      case ">" -> Python.compare(left, right) > 0;
      default -> Python.compare(left, right) >= 0;
    };
  }
}
