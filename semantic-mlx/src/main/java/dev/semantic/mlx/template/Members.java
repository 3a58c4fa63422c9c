package dev.semantic.mlx.template;

import dev.semantic.mlx.template.Python.Callable;
import dev.semantic.mlx.template.Python.Namespace;
import dev.semantic.mlx.template.Python.Undefined;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What lies in a value: attributes, items, slices, and the methods of mappings and lists. */
final class Members {
  private Members() {}

  static @Nullable Object attribute(@Nullable Object target, String name) {
    return switch (target) {
      case Undefined none ->
          throw new TemplateException(
              "'%s' is undefined, so it has no '%s'".formatted(none.name(), name));
      case LoopState loop -> loop.get(name);
      case Namespace space ->
          space.values().containsKey(name) ? space.values().get(name) : new Undefined(name);
      case Map<?, ?> map -> {
        Callable method = mappingMethod(map, name);
        yield method != null ? method : member(map, name);
      }
      case String text -> {
        Callable method = StringMethods.of(text, name);
        yield method != null ? method : new Undefined(name);
      }
      case List<?> list -> {
        Callable method = listMethod(list, name);
        yield method != null ? method : new Undefined(name);
      }
      case null, default -> new Undefined(name);
    };
  }

  static @Nullable Object item(@Nullable Object target, @Nullable Object index) {
    return switch (target) {
      case Undefined none ->
          throw new TemplateException(
              "'%s' is undefined, so it has no items".formatted(none.name()));
      case Map<?, ?> map when map.containsKey(index) -> map.get(index);
      case List<?> list when Python.isInteger(index) -> element(list, Python.integer(index));
      case String text when Python.isInteger(index) ->
          element(Python.items(text), Python.integer(index));
      case null, default ->
          index instanceof String name
              ? attribute(target, name)
              : new Undefined(Python.text(index));
    };
  }

  private static @Nullable Object element(List<?> list, long index) {
    long at = index < 0 ? index + list.size() : index;
    return at >= 0 && at < list.size() ? list.get((int) at) : new Undefined("item " + index);
  }

  private static @Nullable Object member(Map<?, ?> map, String name) {
    return map.containsKey(name) ? map.get(name) : new Undefined(name);
  }

  /** Python's slices: negative bounds count from the end, whatever lies outside is left out. */
  static Object slice(
      @Nullable Object target,
      @Nullable Object start,
      @Nullable Object stop,
      @Nullable Object step) {
    boolean text = target instanceof String;
    List<@Nullable Object> items = Python.items(target);
    int stride = step == null ? 1 : (int) Python.integer(step);
    if (stride == 0) {
      throw new TemplateException("A slice cannot step by zero");
    }
    int size = items.size();
    int from = bound(start, stride > 0 ? 0 : size - 1, size, stride);
    int to = bound(stop, stride > 0 ? size : -1, size, stride);
    List<@Nullable Object> part = new ArrayList<>();
    for (int i = from; stride > 0 ? i < to : i > to; i += stride) {
      part.add(items.get(i));
    }
    if (text) {
      return String.join("", part.stream().map(Python::text).toList());
    }
    return target instanceof Python.Tuple ? new Python.Tuple(part) : part;
  }

  private static int bound(@Nullable Object value, int without, int size, int stride) {
    if (value == null) {
      return without;
    }
    long at = Python.integer(value);
    long positive = at < 0 ? at + size : at;
    return (int)
        (stride > 0 ? Math.clamp(positive, 0L, size) : Math.clamp(positive, -1L, size - 1L));
  }

  private static @Nullable Callable mappingMethod(Map<?, ?> map, String name) {
    return switch (name) {
      case "items" -> (positional, named) -> pairs(map);
      case "keys" -> (positional, named) -> new ArrayList<>(map.keySet());
      case "values" -> (positional, named) -> new ArrayList<>(map.values());
      case "get" ->
          (positional, named) -> {
            Object fallback = positional.size() > 1 ? positional.get(1) : named.get("default");
            return map.containsKey(positional.getFirst())
                ? map.get(positional.getFirst())
                : fallback;
          };
      case "copy" -> (positional, named) -> new LinkedHashMap<>(map);
      default -> null;
    };
  }

  static List<@Nullable Object> pairs(Map<?, ?> map) {
    List<@Nullable Object> pairs = new ArrayList<>();
    map.forEach(
        (key, value) -> {
          pairs.add(new Python.Tuple(Arrays.asList(key, value)));
        });
    return pairs;
  }

  private static @Nullable Callable listMethod(List<?> list, String name) {
    return switch (name) {
      case "index" ->
          (positional, named) -> {
            for (int i = 0; i < list.size(); i++) {
              if (Python.equal(list.get(i), positional.getFirst())) {
                return (long) i;
              }
            }
            throw new TemplateException(Python.repr(positional.getFirst()) + " is not in the list");
          };
      case "count" ->
          (positional, named) ->
              list.stream().filter(item -> Python.equal(item, positional.getFirst())).count();
      case "copy" -> (positional, named) -> new ArrayList<>(list);
      default -> null;
    };
  }
}
