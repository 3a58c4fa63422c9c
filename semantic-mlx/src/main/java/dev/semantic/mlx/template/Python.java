package dev.semantic.mlx.template;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** How Python sees values: what is true, equal, smaller, and how it is written. */
final class Python {
  private Python() {}

  /** A value that does not exist; prints as nothing, and is an error to look into. */
  record Undefined(String name) {}

  /** What can be called. */
  @FunctionalInterface
  interface Callable {
    @Nullable Object call(List<@Nullable Object> positional, Map<String, @Nullable Object> named);
  }

  /** A list that is written with round brackets and equals no list. */
  static final class Tuple extends ArrayList<@Nullable Object> {
    private static final long serialVersionUID = 1L;

    Tuple(List<?> items) {
      super(items);
    }
  }

  /** {@code namespace(...)}: the only object whose attributes a template may set. */
  record Namespace(Map<String, @Nullable Object> values) {}

  static boolean isTrue(@Nullable Object value) {
    return switch (value) {
      case null -> false;
      case Undefined none -> false;
      case Boolean b -> b;
      case Long n -> n != 0;
      case Double d -> d != 0;
      case String s -> !s.isEmpty();
      case List<?> list -> !list.isEmpty();
      case Map<?, ?> map -> !map.isEmpty();
      default -> true;
    };
  }

  static boolean equal(@Nullable Object a, @Nullable Object b) {
    if (isNumber(a) && isNumber(b)) {
      return number(a) == number(b);
    }
    if (a instanceof List<?> x && b instanceof List<?> y) {
      if (x.size() != y.size() || x instanceof Tuple != y instanceof Tuple) {
        return false;
      }
      for (int i = 0; i < x.size(); i++) {
        if (!equal(x.get(i), y.get(i))) {
          return false;
        }
      }
      return true;
    }
    if (a instanceof Map<?, ?> x && b instanceof Map<?, ?> y) {
      return x.size() == y.size()
          && x.entrySet().stream()
              .allMatch(e -> y.containsKey(e.getKey()) && equal(e.getValue(), y.get(e.getKey())));
    }
    return a instanceof Undefined ? b instanceof Undefined : Objects.equals(a, b);
  }

  static boolean isNumber(@Nullable Object value) {
    return value instanceof Long || value instanceof Double || value instanceof Boolean;
  }

  /** Integers in Python include the truth values. */
  static boolean isInteger(@Nullable Object value) {
    return value instanceof Long || value instanceof Boolean;
  }

  static double number(@Nullable Object value) {
    return switch (value) {
      case Long n -> n;
      case Double d -> d;
      case Boolean b -> b ? 1 : 0;
      case null, default -> throw new TemplateException(type(value) + " is not a number");
    };
  }

  static long integer(@Nullable Object value) {
    return switch (value) {
      case Long n -> n;
      case Boolean b -> b ? 1 : 0;
      case null, default -> throw new TemplateException(type(value) + " is not an integer");
    };
  }

  static int compare(@Nullable Object a, @Nullable Object b) {
    if (isNumber(a) && isNumber(b)) {
      return Double.compare(number(a), number(b));
    }
    if (a instanceof String x && b instanceof String y) {
      return x.codePoints().boxed().toList().equals(y.codePoints().boxed().toList())
          ? 0
          : compareText(x, y);
    }
    if (a instanceof List<?> x && b instanceof List<?> y) {
      for (int i = 0; i < Math.min(x.size(), y.size()); i++) {
        if (!equal(x.get(i), y.get(i))) {
          return compare(x.get(i), y.get(i));
        }
      }
      return Integer.compare(x.size(), y.size());
    }
    throw new TemplateException("%s and %s cannot be compared".formatted(type(a), type(b)));
  }

  private static int compareText(String a, String b) {
    int[] x = a.codePoints().toArray();
    int[] y = b.codePoints().toArray();
    return java.util.Arrays.compare(x, y);
  }

  static boolean contains(@Nullable Object container, @Nullable Object item) {
    return switch (container) {
      case String s when item instanceof String part -> s.contains(part);
      case List<?> list -> list.stream().anyMatch(member -> equal(member, item));
      case Map<?, ?> map -> map.containsKey(item);
      case Undefined none -> false;
      case null, default -> throw new TemplateException("Nothing can be in " + type(container));
    };
  }

  /** {@code str(value)}. */
  static String text(@Nullable Object value) {
    return switch (value) {
      case String s -> s;
      case Undefined none -> "";
      case null, default -> repr(value);
    };
  }

  /** {@code repr(value)}. */
  static String repr(@Nullable Object value) {
    return switch (value) {
      case null -> "None";
      case Boolean b -> b ? "True" : "False";
      case Double d -> decimal(d);
      case String s -> quoted(s);
      case Tuple tuple ->
          tuple.stream()
              .map(Python::repr)
              .collect(Collectors.joining(", ", "(", tuple.size() == 1 ? ",)" : ")"));
      case List<?> list ->
          list.stream().map(Python::repr).collect(Collectors.joining(", ", "[", "]"));
      case Map<?, ?> map ->
          map.entrySet().stream()
              .map(entry -> repr(entry.getKey()) + ": " + repr(entry.getValue()))
              .collect(Collectors.joining(", ", "{", "}"));
      case Undefined none -> "Undefined";
      case Namespace space -> "<Namespace " + repr(space.values()) + ">";
      default -> String.valueOf(value);
    };
  }

  static String decimal(double d) {
    if (Double.isNaN(d)) {
      return "nan";
    }
    if (Double.isInfinite(d)) {
      return d > 0 ? "inf" : "-inf";
    }
    double size = Math.abs(d);
    if (d == 0 || (size >= 1e-4 && size < 1e16)) {
      String plain = new BigDecimal(Double.toString(d)).toPlainString();
      return plain.contains(".") ? plain : plain + ".0";
    }
    String[] parts = Double.toString(d).split("E", 2);
    String digits =
        parts[0].endsWith(".0") ? parts[0].substring(0, parts[0].length() - 2) : parts[0];
    int exponent = parts.length > 1 ? Integer.parseInt(parts[1]) : 0;
    return "%se%s%02d".formatted(digits, exponent < 0 ? "-" : "+", Math.abs(exponent));
  }

  private static String quoted(String s) {
    char quote = s.indexOf('\'') >= 0 && s.indexOf('"') < 0 ? '"' : '\'';
    StringBuilder out = new StringBuilder().append(quote);
    s.codePoints()
        .forEach(
            c -> {
              switch (c) {
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                case '\\' -> out.append("\\\\");
                default -> {
                  if (c == quote) {
                    out.append('\\').append(quote);
                  } else if (isPrintable(c)) {
                    out.appendCodePoint(c);
                  } else {
                    String format = c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x";
                    out.append(format.formatted(c));
                  }
                }
              }
            });
    return out.append(quote).toString();
  }

  private static boolean isPrintable(int c) {
    return switch (Character.getType(c)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.PRIVATE_USE,
          Character.UNASSIGNED,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR ->
          false;
      case Character.SPACE_SEPARATOR -> c == ' ';
      default -> true;
    };
  }

  static String type(@Nullable Object value) {
    return switch (value) {
      case null -> "None";
      case Undefined none -> "'" + none.name() + "', which is undefined,";
      case Boolean b -> "a truth value";
      case Long n -> "an integer";
      case Double d -> "a number";
      case String s -> "a string";
      case List<?> list -> "a list";
      case Map<?, ?> map -> "a mapping";
      case Callable callable -> "a function";
      default -> "an object";
    };
  }

  /** What a loop goes through: a list's items, a string's characters, a mapping's keys. */
  static List<@Nullable Object> items(@Nullable Object value) {
    return switch (value) {
      case List<?> list -> new ArrayList<>(list);
      case Map<?, ?> map -> new ArrayList<>(map.keySet());
      case String s ->
          s.codePoints()
              .mapToObj(Character::toString)
              .collect(Collectors.toCollection(ArrayList::new));
      case Undefined none -> new ArrayList<>();
      case null, default -> throw new TemplateException(type(value) + " cannot be gone through");
    };
  }

  /** Host values in the few types that templates know. */
  static @Nullable Object of(@Nullable Object value) {
    return switch (value) {
      case null -> null;
      case Integer n -> (long) n;
      case Short n -> (long) n;
      case Byte n -> (long) n;
      case Float f -> (double) f;
      case BigDecimal d -> d.doubleValue();
      case java.math.BigInteger n -> n.longValueExact();
      case List<?> list ->
          list.stream().map(Python::of).collect(Collectors.toCollection(ArrayList::new));
      case Map<?, ?> map -> {
        Map<@Nullable Object, @Nullable Object> copy = new LinkedHashMap<>();
        map.forEach((key, member) -> copy.put(of(key), of(member)));
        yield copy;
      }
      default -> value;
    };
  }
}
