package dev.semantic.mlx.template;

import dev.semantic.mlx.template.Python.Callable;
import dev.semantic.mlx.template.Python.Undefined;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The tests behind {@code is}. */
final class Predicates {
  boolean holds(String name, @Nullable Object value, List<@Nullable Object> arguments) {
    return switch (name) {
      case "defined" -> !(value instanceof Undefined);
      case "undefined" -> value instanceof Undefined;
      case "none" -> value == null;
      case "boolean" -> value instanceof Boolean;
      case "true" -> Boolean.TRUE.equals(value);
      case "false" -> Boolean.FALSE.equals(value);
      case "string" -> value instanceof String;
      case "number" -> Python.isNumber(value);
      case "integer" -> value instanceof Long;
      case "float" -> value instanceof Double;
      case "mapping" -> value instanceof Map;
      case "sequence" ->
          value instanceof List
              || value instanceof String
              || value instanceof Map
              || value instanceof Undefined;
      case "iterable" ->
          value instanceof List
              || value instanceof String
              || value instanceof Map
              || value instanceof Undefined;
      case "callable" -> value instanceof Callable;
      case "odd" -> Python.integer(value) % 2 != 0;
      case "even" -> Python.integer(value) % 2 == 0;
      case "divisibleby" -> Python.integer(value) % Python.integer(argument(name, arguments)) == 0;
      case "lower" -> StringMethods.isLower(Python.text(value));
      case "upper" -> StringMethods.isUpper(Python.text(value));
      case "in" -> Python.contains(argument(name, arguments), value);
      case "equalto", "eq", "==" -> Python.equal(value, argument(name, arguments));
      case "ne", "!=" -> !Python.equal(value, argument(name, arguments));
      case "lt", "lessthan", "<" -> Python.compare(value, argument(name, arguments)) < 0;
      case "le", "<=" -> Python.compare(value, argument(name, arguments)) <= 0;
      case "gt", "greaterthan", ">" -> Python.compare(value, argument(name, arguments)) > 0;
      case "ge", ">=" -> Python.compare(value, argument(name, arguments)) >= 0;
      case "sameas" -> same(value, argument(name, arguments));
      case "filter", "test", "escaped" -> false;
      default -> throw new TemplateException("There is no test '" + name + "'");
    };
  }

  private static @Nullable Object argument(String name, List<@Nullable Object> arguments) {
    if (arguments.isEmpty()) {
      throw new TemplateException("The test '" + name + "' needs an argument");
    }
    return arguments.getFirst();
  }

  @SuppressWarnings("ReferenceEquality") // that is what the test asks
  private static boolean same(@Nullable Object a, @Nullable Object b) {
    boolean plain = a instanceof Boolean || a instanceof Long || a instanceof String;
    return plain ? Objects.equals(a, b) : a == b;
  }
}
