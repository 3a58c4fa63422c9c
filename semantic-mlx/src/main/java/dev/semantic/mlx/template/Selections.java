package dev.semantic.mlx.template;

import dev.semantic.mlx.template.Python.Undefined;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** {@code map}, {@code select} and their like: generators, which do nothing until asked. */
final class Selections {
  private Selections() {}

  private interface Step {
    @Nullable Object of(@Nullable Object item);
  }

  /** What is empty is not looked into, not even None. */
  private static Iterator<? extends @Nullable Object> items(@Nullable Object value) {
    return Python.isTrue(value) ? Python.iterator(value) : List.<Object>of().iterator();
  }

  static LazyValue mapped(
      @Nullable Object value,
      List<@Nullable Object> positional,
      Map<String, @Nullable Object> named) {
    return new LazyValue(
        new LazyValue.Source() {
          private @Nullable Iterator<? extends @Nullable Object> items;
          private Step step = item -> item;

          @Override
          public @Nullable Object next() {
            if (items == null) {
              items = items(value);
              step = items.hasNext() ? mapping(positional, named) : step;
            }
            return items.hasNext() ? step.of(items.next()) : LazyValue.END;
          }
        });
  }

  private static Step mapping(
      List<@Nullable Object> positional, Map<String, @Nullable Object> named) {
    if (positional.isEmpty() && named.containsKey("attribute")) {
      Arguments arguments =
          Signature.of("attribute default?").bind("The filter 'map'", positional, named);
      return item -> {
        Object found = item;
        found = ListFilters.at(found, arguments.get(0));
        return found instanceof Undefined && arguments.get(1) != null ? arguments.get(1) : found;
      };
    }
    if (positional.isEmpty()) {
      throw new TemplateException("The filter 'map' needs the name of a filter");
    }
    String filter = Repr.text(positional.getFirst());
    List<@Nullable Object> rest = positional.subList(1, positional.size());
    return item -> Filters.apply(filter, item, rest, named);
  }

  static LazyValue chosen(
      @Nullable Object value,
      List<@Nullable Object> positional,
      Map<String, @Nullable Object> named,
      boolean byAttribute,
      boolean wanted) {
    return new LazyValue(
        new LazyValue.Source() {
          private @Nullable Iterator<? extends @Nullable Object> items;

          @Override
          public @Nullable Object next() {
            if (items == null) {
              items = items(value);
            }
            while (items.hasNext()) {
              Object item = items.next();
              Budget.look(32);
              if (passes(item, positional, named, byAttribute) == wanted) {
                return item;
              }
            }
            return LazyValue.END;
          }
        });
  }

  private static boolean passes(
      @Nullable Object item,
      List<@Nullable Object> positional,
      Map<String, @Nullable Object> named,
      boolean byAttribute) {
    if (byAttribute && positional.isEmpty()) {
      throw new TemplateException("The name of an attribute is missing");
    }
    Object value = byAttribute ? ListFilters.at(item, positional.getFirst()) : item;
    int from = byAttribute ? 1 : 0;
    return positional.size() <= from
        ? Python.isTrue(value)
        : Tests.holds(
            Repr.text(positional.get(from)),
            value,
            positional.subList(from + 1, positional.size()),
            named);
  }
}
