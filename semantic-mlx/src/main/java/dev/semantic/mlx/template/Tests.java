package dev.semantic.mlx.template;

import dev.semantic.mlx.template.Python.Callable;
import dev.semantic.mlx.template.Python.Undefined;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** The tests behind {@code is}. */
final class Tests {
  private static final Set<String> ALONE =
      Set.of(
          "defined",
          "undefined",
          "none",
          "boolean",
          "true",
          "false",
          "string",
          "number",
          "integer",
          "float",
          "mapping",
          "sequence",
          "iterable",
          "callable",
          "odd",
          "even",
          "lower",
          "upper",
          "escaped",
          "filter",
          "test");

  /** With the operator, or the name of the argument, that each stands for. */
  private static final Map<String, String> WITH_ONE =
      Map.ofEntries(
          Map.entry("divisibleby", "num"),
          Map.entry("in", "seq"),
          Map.entry("sameas", "other"),
          Map.entry("equalto", "=="),
          Map.entry("eq", "=="),
          Map.entry("==", "=="),
          Map.entry("ne", "!="),
          Map.entry("!=", "!="),
          Map.entry("lessthan", "<"),
          Map.entry("lt", "<"),
          Map.entry("<", "<"),
          Map.entry("le", "<="),
          Map.entry("<=", "<="),
          Map.entry("greaterthan", ">"),
          Map.entry("gt", ">"),
          Map.entry(">", ">"),
          Map.entry("ge", ">="),
          Map.entry(">=", ">="));

  private Tests() {}

  static Set<String> names() {
    Set<String> names = new TreeSet<>(ALONE);
    names.addAll(WITH_ONE.keySet());
    return names;
  }

  static boolean exists(String name) {
    return ALONE.contains(name) || WITH_ONE.containsKey(name);
  }

  static boolean holds(
      String name,
      @Nullable Object tested,
      List<@Nullable Object> positional,
      Map<String, @Nullable Object> named) {
    Budget.look(64);
    Object value = name.equals("escaped") ? tested : Markup.plain(tested);
    String test = "The test '" + name + "'";
    String parameter = WITH_ONE.get(name);
    if (parameter != null) {
      boolean operator = !Character.isLetter(parameter.charAt(0));
      Arguments arguments =
          Signature.of(operator ? "other /" : parameter).bind(test, positional, named);
      return switch (parameter) {
        case "num" -> leaves(value, arguments.get(0), 0);
        case "seq" -> Compare.contains(arguments.get(0), value);
        case "other" -> same(value, arguments.get(0));
        default -> Compare.holds(parameter, value, arguments.get(0));
      };
    }
    if (!ALONE.contains(name)) {
      throw new TemplateException("There is no test '" + name + "'");
    }
    Signature.of("").bind(test, positional, named);
    return alone(name, value);
  }

  private static boolean alone(String name, @Nullable Object value) {
    return switch (name) {
      case "defined" -> !(value instanceof Undefined);
      case "undefined" -> value instanceof Undefined;
      case "none" -> value == null;
      case "boolean" -> value instanceof Boolean;
      case "true" -> Boolean.TRUE.equals(value);
      case "false" -> Boolean.FALSE.equals(value);
      case "string" -> value instanceof String;
      case "number" -> Numbers.isNumber(value);
      case "integer" -> Numbers.isInteger(value) && !(value instanceof Boolean);
      case "float" -> value instanceof Double;
      case "mapping" -> value instanceof Map;
      case "sequence" ->
          value instanceof List
              || value instanceof String
              || value instanceof Map
              || value instanceof Range
              || value instanceof Undefined;
      case "iterable" -> Python.isIterable(value);
      case "callable" ->
          value instanceof Callable || value instanceof LoopState || value instanceof Undefined;
      case "odd" -> leaves(value, 2L, 1);
      case "even" -> leaves(value, 2L, 0);
      case "lower" -> PythonText.hasCase(Repr.text(value), Character::isLowerCase);
      case "upper" -> PythonText.hasCase(Repr.text(value), Character::isUpperCase);
      case "filter" -> Dict.canonical(value) instanceof String filter && Filters.exists(filter);
      case "test" -> Dict.canonical(value) instanceof String test && exists(test);
      default -> value instanceof Markup; // "escaped"
    };
  }

  private static boolean leaves(@Nullable Object value, @Nullable Object divisor, long rest) {
    return Compare.equal(Arithmetic.apply("%", value, divisor), rest);
  }

  @SuppressWarnings("ReferenceEquality") // that is what the test asks
  private static boolean same(@Nullable Object a, @Nullable Object b) {
    boolean plain = a instanceof Boolean || a instanceof Long || a instanceof String;
    return plain ? Compare.equal(a, b) && Objects.equals(a, b) : a == b;
  }
}
