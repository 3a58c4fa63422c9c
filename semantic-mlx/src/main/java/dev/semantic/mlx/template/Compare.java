package dev.semantic.mlx.template;

import dev.semantic.mlx.template.Python.Undefined;
import dev.semantic.mlx.template.Python.View;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** {@code ==}, {@code <} and {@code in}. */
final class Compare {
  private Compare() {}

  static boolean equal(@Nullable Object left, @Nullable Object right) {
    Budget.look(32);
    Object a = Markup.plain(left);
    Object b = Markup.plain(right);
    if (a instanceof String x && b instanceof String y) {
      Budget.look(x.length() == y.length() ? x.length() : 0);
      return x.equals(y);
    }
    if (a != null && b != null && Numbers.isNumber(a) && Numbers.isNumber(b)) {
      return !Numbers.isNan(a) && !Numbers.isNan(b) && Numbers.compare(a, b) == 0;
    }
    if (a instanceof List<?> x && b instanceof List<?> y) {
      return x instanceof Tuple == y instanceof Tuple && x.size() == y.size() && sameItems(x, y);
    }
    if (a instanceof Map<?, ?> x && b instanceof Map<?, ?> y) {
      return x.size() == y.size()
          && x.entrySet().stream()
              .allMatch(e -> y.containsKey(e.getKey()) && equal(e.getValue(), y.get(e.getKey())));
    }
    if (a instanceof Range x && b instanceof Range y) {
      return sameItems(Python.items(x), Python.items(y));
    }
    if (a instanceof View x && b instanceof View y) {
      return !x.name().equals("dict_values")
          && x.items().size() == y.items().size()
          && x.items().stream().allMatch(item -> contains(y.items(), item));
    }
    return a instanceof Undefined ? b instanceof Undefined : Objects.equals(a, b);
  }

  private static boolean sameItems(List<?> x, List<?> y) {
    for (int i = 0; i < x.size(); i++) {
      if (!same(x.get(i), y.get(i))) {
        return false;
      }
    }
    return true;
  }

  /** Items of a list are the same if they are one object or equal. */
  @SuppressWarnings("ReferenceEquality")
  private static boolean same(@Nullable Object a, @Nullable Object b) {
    return a == b || equal(a, b);
  }

  /**
   * Less than zero, zero, more than zero; with NaN nothing holds, which {@link #holds} knows.
   *
   * @throws TemplateException if the two have no order
   */
  static int compare(@Nullable Object left, @Nullable Object right) {
    Budget.look(32);
    Object a = Markup.plain(left);
    Object b = Markup.plain(right);
    if (a != null && b != null && Numbers.isNumber(a) && Numbers.isNumber(b)) {
      return Numbers.compare(a, b);
    }
    if (a instanceof String x && b instanceof String y) {
      return compareText(x, y);
    }
    if (a instanceof List<?> x
        && b instanceof List<?> y
        && x instanceof Tuple == y instanceof Tuple) {
      for (int i = 0; i < Math.min(x.size(), y.size()); i++) {
        if (!same(x.get(i), y.get(i))) {
          return compare(x.get(i), y.get(i));
        }
      }
      return Integer.compare(x.size(), y.size());
    }
    throw new TemplateException(
        "%s and %s cannot be compared".formatted(Python.type(a), Python.type(b)));
  }

  private static int compareText(String a, String b) {
    Budget.look(4L * Math.min(a.length(), b.length()));
    int i = 0;
    while (i < a.length() && i < b.length() && a.charAt(i) == b.charAt(i)) {
      i++;
    }
    // by code point: what lies outside the first plane comes last
    return Arrays.compare(
        a.substring(i).codePoints().limit(1).toArray(),
        b.substring(i).codePoints().limit(1).toArray());
  }

  /** A comparison by its operator. */
  static boolean holds(String operator, @Nullable Object left, @Nullable Object right) {
    return switch (operator) {
      case "==" -> equal(left, right);
      case "!=" -> !equal(left, right);
      case "in" -> contains(right, left);
      case "not in" -> !contains(right, left);
      default -> {
        int order = compare(left, right);
        boolean ordered = !Numbers.isNan(left) && !Numbers.isNan(right);
        yield ordered
            && switch (operator) {
              case "<" -> order < 0;
              case "<=" -> order <= 0;
              case ">" -> order > 0;
              default -> order >= 0;
            };
      }
    };
  }

  static boolean contains(@Nullable Object whole, @Nullable Object part) {
    Object container = Markup.plain(whole);
    Object item = Markup.plain(part);
    return switch (container) {
      case String s -> {
        if (!(item instanceof String text)) {
          throw new TemplateException(
              Python.type(item) + " cannot be in a string; only a string can");
        }
        yield TextSearch.first(s, text) >= 0;
      }
      case Map<?, ?> map -> map.containsKey(item);
      case null -> throw new TemplateException("Nothing can be in None");
      case View view when view.name().equals("dict_items") -> {
        if (!(item instanceof Tuple pair) || pair.size() != 2) {
          yield false;
        }
        Dict.canonical(pair.getFirst()); // the value need not be one that a mapping could hold
        yield view.items().stream().anyMatch(member -> same(member, item));
      }
      case View view when !view.name().equals("dict_values") -> {
        Dict.canonical(item); // refuses what no mapping can hold
        yield view.items().stream().anyMatch(member -> same(member, item));
      }
      default -> {
        if (!Python.isIterable(container)) {
          throw new TemplateException("Nothing can be in " + Python.type(container));
        }
        Iterator<? extends @Nullable Object> items = Python.iterator(container);
        while (items.hasNext()) {
          if (same(items.next(), item)) {
            yield true;
          }
        }
        yield false;
      }
    };
  }
}
