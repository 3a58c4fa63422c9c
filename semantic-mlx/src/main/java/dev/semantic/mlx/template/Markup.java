package dev.semantic.mlx.template;

import dev.semantic.mlx.template.Python.Callable;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What the filters {@code safe} and {@code escape} give: a string that escapes what is added to it
 * for HTML, even where nothing else is escaped. Real templates show it: {@code (x|tojson|safe) +
 * y}.
 */
record Markup(String text) {
  /** Filters that give markup for markup. */
  private static final Set<String> KEEPING =
      Set.of(
          "trim",
          "upper",
          "lower",
          "capitalize",
          "indent",
          "center",
          "reverse",
          "truncate",
          "format",
          "string",
          "default",
          "d");

  /** The value, as a plain string if it is markup. */
  static @Nullable Object plain(@Nullable Object value) {
    return value instanceof Markup markup ? markup.text() : value;
  }

  /** What stands in place of the text in markup. */
  static String escaped(@Nullable Object value) {
    return value instanceof Markup markup ? markup.text() : TextFilters.escaped(Repr.text(value));
  }

  static @Nullable Object apply(String operator, @Nullable Object left, @Nullable Object right) {
    boolean texts =
        (left instanceof Markup || left instanceof String)
            && (right instanceof Markup || right instanceof String);
    if (operator.equals("+") && texts) {
      String a = escaped(left);
      String b = escaped(right);
      Budget.text((long) a.length() + b.length());
      return new Markup(a + b);
    }
    if (operator.equals("%") && left instanceof Markup format) {
      return new Markup(PercentFormat.of(format.text(), escapedAll(right)));
    }
    Object result = Arithmetic.apply(operator, plain(left), plain(right));
    return operator.equals("*") && result instanceof String text ? new Markup(text) : result;
  }

  private static @Nullable Object escapedAll(@Nullable Object value) {
    Budget.list(value instanceof Tuple tuple ? 2L * tuple.size() : 0);
    return switch (value) {
      case Tuple tuple -> new Tuple(tuple.stream().map(Markup::escapedAll).toList());
      case Dict map -> {
        Dict escaped = new Dict();
        map.forEach((key, member) -> escaped.put(key, escapedAll(member)));
        yield escaped;
      }
      case null -> null;
      default -> Numbers.isNumber(value) ? value : escaped(value);
    };
  }

  /** The result of a filter that was given markup. */
  static @Nullable Object filtered(String filter, @Nullable Object result) {
    return KEEPING.contains(filter) ? again(result) : result;
  }

  /** Strings become markup, also those in a list. */
  private static @Nullable Object again(@Nullable Object result) {
    Budget.list(result instanceof List<?> list ? 2L * list.size() : 0);
    return switch (result) {
      case String text -> new Markup(text);
      case Tuple tuple -> new Tuple(tuple.stream().map(Markup::again).toList());
      case List<?> list -> {
        List<@Nullable Object> all = new ArrayList<>();
        list.forEach(item -> all.add(again(item)));
        yield all;
      }
      case null, default -> result;
    };
  }

  /** A method of the text that gives markup; null if there is none of this name. */
  @Nullable Callable method(String name) {
    Callable method = StringMethods.of(text, name);
    if (method == null) {
      return null;
    }
    return (positional, named) -> again(method.call(escaped(name, positional), escaped(named)));
  }

  private static List<@Nullable Object> escaped(String method, List<@Nullable Object> arguments) {
    List<@Nullable Object> escaped = new ArrayList<>();
    for (int i = 0; i < arguments.size(); i++) {
      Object argument = arguments.get(i);
      escaped.add(
          switch (method) {
            case "join" ->
                Python.items(argument).stream()
                    .map(item -> (Object) escaped(item))
                    .collect(java.util.stream.Collectors.toList());
            case "format" -> escapedAll(argument);
            case "replace" -> i == 1 ? escaped(argument) : plain(argument);
            default -> plain(argument);
          });
    }
    return escaped;
  }

  private static Map<String, @Nullable Object> escaped(Map<String, @Nullable Object> arguments) {
    Map<String, @Nullable Object> escaped = new java.util.LinkedHashMap<>();
    arguments.forEach((name, value) -> escaped.put(name, escapedAll(value)));
    return escaped;
  }
}
