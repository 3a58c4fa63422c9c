package dev.semantic.mlx.template;

import dev.semantic.mlx.template.Python.Callable;
import dev.semantic.mlx.template.Python.Undefined;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Computes expressions. */
final class Evaluator {
  private final Budget budget;

  Evaluator(Budget budget) {
    this.budget = budget;
  }

  @Nullable Object value(Expr expr, Frame frame) {
    try {
      budget.step();
      return compute(expr, frame);
    } catch (TemplateException e) {
      throw e.placed(expr.at()); // the innermost place is the one that helps
    } catch (StackOverflowError e) {
      throw TemplateException.tooDeep(expr.at());
    } catch (IndexOutOfBoundsException | IllegalArgumentException | ArithmeticException e) {
      throw new TemplateException(
          expr.at(), "An argument is of the wrong kind (%s)".formatted(e.getMessage()));
    }
  }

  private @Nullable Object compute(Expr expr, Frame frame) {
    return switch (expr) {
      case Expr.Literal literal -> literal.value();
      case Expr.Name name -> frame.get(name.name());
      case Expr.ListOf list -> all(list.items(), frame);
      case Expr.TupleOf tuple -> tuple(all(tuple.items(), frame));
      case Expr.DictOf dict -> dict(dict, frame);
      case Expr.Attribute attribute ->
          AttributeAccess.attribute(value(attribute.target(), frame), attribute.name());
      case Expr.Item item ->
          AttributeAccess.item(value(item.target(), frame), value(item.index(), frame));
      case Expr.Slice slice ->
          AttributeAccess.slice(
              value(slice.target(), frame),
              bound(slice.start(), frame),
              bound(slice.stop(), frame),
              bound(slice.step(), frame));
      case Expr.Call call -> call(call, frame, null);
      case Expr.Filter filter -> filter(filter, value(filter.target(), frame), frame);
      case Expr.Test test -> test(test, frame);
      case Expr.Unary unary -> unary(unary, frame);
      case Expr.Binary binary -> binary(binary, frame);
      case Expr.Comparison comparison -> compare(comparison, frame);
      case Expr.Conditional c ->
          Python.isTrue(value(c.condition(), frame))
              ? value(c.then(), frame)
              : c.otherwise() == null
                  ? new Undefined("the condition does not hold and there is no else")
                  : value(c.otherwise(), frame);
    };
  }

  private List<@Nullable Object> all(List<Expr> items, Frame frame) {
    Budget.list(items.size());
    List<@Nullable Object> values = new ArrayList<>(items.size());
    for (Expr item : items) {
      values.add(value(item, frame));
    }
    return values;
  }

  private static Tuple tuple(List<@Nullable Object> items) {
    Budget.list(items.size());
    return new Tuple(items);
  }

  private Dict dict(Expr.DictOf dict, Frame frame) {
    Dict map = new Dict();
    for (Map.Entry<Expr, Expr> pair : dict.pairs()) {
      map.put(value(pair.getKey(), frame), value(pair.getValue(), frame));
    }
    return map;
  }

  private @Nullable Object bound(@Nullable Expr expr, Frame frame) {
    return expr == null ? null : value(expr, frame);
  }

  /**
   * Calls.
   *
   * @param caller what stands in the call block; null where there is none
   */
  @Nullable Object call(Expr.Call call, Frame frame, @Nullable Macro caller) {
    Object target = value(call.target(), frame);
    Expr.Arguments arguments = call.arguments();
    List<@Nullable Object> positional = positional(arguments, frame);
    Map<String, @Nullable Object> named = named(arguments, frame);
    if (caller != null) {
      named.put("caller", caller);
    }
    budget.enter();
    try {
      return callable(target).call(positional, named);
    } catch (TemplateException e) {
      throw e.placed(call.at());
    } finally {
      budget.leave();
    }
  }

  private static Callable callable(@Nullable Object target) {
    return switch (target) {
      case Callable callable -> callable;
      case LoopState loop -> loop.again();
      case Undefined none -> throw new TemplateException(none.why() + ", so it cannot be called");
      case null, default -> throw new TemplateException(Python.type(target) + " cannot be called");
    };
  }

  private List<@Nullable Object> positional(Expr.Arguments arguments, Frame frame) {
    List<@Nullable Object> values = all(arguments.positional(), frame);
    if (arguments.more() != null) {
      values.addAll(Python.items(value(arguments.more(), frame)));
    }
    return values;
  }

  private Map<String, @Nullable Object> named(Expr.Arguments arguments, Frame frame) {
    Budget.hold(64 + 48L * arguments.named().size());
    Map<String, @Nullable Object> values = new LinkedHashMap<>();
    arguments.named().forEach((name, expr) -> values.put(name, value(expr, frame)));
    if (arguments.moreNamed() == null) {
      return values;
    }
    if (!(value(arguments.moreNamed(), frame) instanceof Dict more)) {
      throw new TemplateException("What stands after ** is no mapping");
    }
    more.forEach(
        (key, member) -> {
          if (!(key instanceof String name) || values.containsKey(name)) {
            throw new TemplateException("The argument " + Repr.of(key) + " is given twice");
          }
          Budget.hold(48);
          values.put(name, member);
        });
    return values;
  }

  @Nullable Object filter(Expr.Filter filter, @Nullable Object target, Frame frame) {
    try {
      return Filters.apply(
          filter.name(),
          target,
          positional(filter.arguments(), frame),
          named(filter.arguments(), frame));
    } catch (TemplateException e) {
      throw e.placed(filter.at());
    }
  }

  private boolean test(Expr.Test test, Frame frame) {
    boolean holds =
        Tests.holds(
            test.name(),
            value(test.target(), frame),
            positional(test.arguments(), frame),
            named(test.arguments(), frame));
    return holds != test.negated();
  }

  private @Nullable Object unary(Expr.Unary unary, Frame frame) {
    Object operand = value(unary.operand(), frame);
    return switch (unary.operator()) {
      case "not" -> !Python.isTrue(operand);
      case "-" -> Arithmetic.negated(operand);
      default -> Arithmetic.apply("+", 0L, operand);
    };
  }

  private @Nullable Object binary(Expr.Binary binary, Frame frame) {
    Object left = value(binary.left(), frame);
    return switch (binary.operator()) {
      case "and" -> Python.isTrue(left) ? value(binary.right(), frame) : left;
      case "or" -> Python.isTrue(left) ? left : value(binary.right(), frame);
      case "~" -> {
        Object right = value(binary.right(), frame);
        yield Arithmetic.apply("+", Repr.text(left), Repr.text(right));
      }
      default -> Arithmetic.apply(binary.operator(), left, value(binary.right(), frame));
    };
  }

  private boolean compare(Expr.Comparison comparison, Frame frame) {
    Object left = value(comparison.first(), frame);
    for (int i = 0; i < comparison.operators().size(); i++) {
      Object right = value(comparison.others().get(i), frame);
      if (!Compare.holds(comparison.operators().get(i), left, right)) {
        return false;
      }
      left = right;
    }
    return true;
  }
}
