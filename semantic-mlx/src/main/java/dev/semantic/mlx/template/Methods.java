package dev.semantic.mlx.template;

import static dev.semantic.mlx.template.AttributeAccess.method;

import dev.semantic.mlx.template.Python.View;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The methods of Python's mappings, lists and numbers, but for those that change them. */
final class Methods {
  private static final Set<String> CHANGING =
      Set.of(
          "append",
          "extend",
          "insert",
          "remove",
          "reverse",
          "sort",
          "pop",
          "clear",
          "popitem",
          "setdefault",
          "update");

  private Methods() {}

  /** A method of a mapping; null if it has none of this name. */
  static @Nullable Object ofMapping(Dict map, String name) {
    return switch (name) {
      case "items" -> method(name, "", g -> new View("dict_items", pairs(map)));
      case "keys" -> method(name, "", g -> new View("dict_keys", copy(map.keySet())));
      case "values" -> method(name, "", g -> new View("dict_values", copy(map.values())));
      case "get" ->
          method(
              name,
              "key default? /",
              g -> map.containsKey(g.get(0)) ? map.get(g.get(0)) : g.or(1, null));
      case "copy" ->
          method(
              name,
              "",
              g -> {
                return new Dict(map);
              });
      case "clear", "pop", "popitem", "setdefault", "update" -> forbidden(name);
      default -> null;
    };
  }

  static List<@Nullable Object> pairs(Map<?, ?> map) {
    Budget.many(map.size(), 120);
    Budget.list(map.size());
    List<@Nullable Object> pairs = new ArrayList<>();
    map.forEach(
        (key, value) -> {
          pairs.add(new Tuple(Arrays.asList(key, value)));
        });
    return pairs;
  }

  /** A method of a list or tuple; null if it has none of this name. */
  static @Nullable Object ofList(List<?> list, String name) {
    boolean tuple = list instanceof Tuple;
    return switch (name) {
      case "index" ->
          method(
              name,
              "value start? stop? /",
              g -> {
                int from = bound(g.integerOr(1, 0), list.size());
                int to = bound(g.integerOr(2, list.size()), list.size());
                for (int i = from; i < to; i++) {
                  if (Compare.equal(list.get(i), g.get(0))) {
                    return (long) i;
                  }
                }
                throw new TemplateException(Repr.of(g.get(0)) + " is not in the list");
              });
      case "count" ->
          method(
              name,
              "value /",
              g -> list.stream().filter(item -> Compare.equal(item, g.get(0))).count());
      case "copy" -> tuple ? null : method(name, "", g -> copy(list));
      default -> !tuple && CHANGING.contains(name) ? forbidden(name) : null;
    };
  }

  private static List<@Nullable Object> copy(Collection<?> items) {
    Budget.list(items.size());
    return new ArrayList<>(items);
  }

  private static int bound(long index, int size) {
    return (int) Math.clamp(index < 0 ? index + size : index, 0L, size);
  }

  /** Undefined until it is used, as in jinja2's sandbox. */
  private static Object forbidden(String name) {
    return new Python.Undefined("'" + name + "' would change a value, which templates may not");
  }

  /** A method of a range; null if it has none of this name. */
  static @Nullable Object ofRange(Range range, String name) {
    return switch (name) {
      case "start" -> range.start();
      case "stop" -> range.stop();
      case "step" -> range.step();
      case "index" -> method(name, "value /", g -> (long) index(range, g.get(0)));
      case "count" -> method(name, "value /", g -> Compare.contains(range, g.get(0)) ? 1L : 0L);
      default -> null;
    };
  }

  private static int index(Range range, @Nullable Object value) {
    for (int i = 0; i < range.size(); i++) {
      if (Compare.equal(range.get(i), value)) {
        return i;
      }
    }
    throw new TemplateException(Repr.of(value) + " is not in the range");
  }

  /** An attribute of a number; null if it has none of this name. */
  static @Nullable Object ofNumber(Object number, String name) {
    boolean whole = Numbers.isInteger(number);
    return switch (name) {
      case "real" -> number instanceof Boolean b ? (b ? 1L : 0L) : number;
      case "imag" -> whole ? (Object) 0L : 0.0;
      case "numerator" -> whole ? Numbers.whole(Numbers.big(number)) : null;
      case "denominator" -> whole ? 1L : null;
      case "bit_length" ->
          whole ? method(name, "", g -> (long) absolute(number).bitLength()) : null;
      case "bit_count" -> whole ? method(name, "", g -> (long) absolute(number).bitCount()) : null;
      case "conjugate" -> method(name, "", g -> number);
      case "is_integer" ->
          number instanceof Double d ? method(name, "", g -> d == Math.rint(d)) : null;
      default -> null;
    };
  }

  private static BigInteger absolute(Object number) {
    return Numbers.big(number).abs();
  }
}
