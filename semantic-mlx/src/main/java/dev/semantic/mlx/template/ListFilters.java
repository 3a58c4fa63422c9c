package dev.semantic.mlx.template;

import dev.semantic.mlx.template.Python.Undefined;
import dev.semantic.mlx.template.Python.View;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The filters that go through lists. */
final class ListFilters {
  private ListFilters() {}

  /** What {@code groupby} gives: a pair whose parts have names, too. */
  static final class Group extends Tuple {
    private static final long serialVersionUID = 1L;

    Group(@Nullable Object key, List<@Nullable Object> members) {
      super(Arrays.asList(key, members));
    }
  }

  static LazyValue pairs(@Nullable Object value) {
    return later(
        () -> {
          if (value instanceof Undefined) {
            return Collections.emptyIterator();
          }
          if (value instanceof Map<?, ?> map) {
            return Methods.pairs(map).iterator();
          }
          throw new TemplateException(Python.type(value) + " has no pairs");
        });
  }

  private interface Start {
    Iterator<? extends @Nullable Object> items();
  }

  /** A generator that begins its work when it is first asked. */
  private static LazyValue later(Start start) {
    return new LazyValue(
        new LazyValue.Source() {
          private @Nullable Iterator<? extends @Nullable Object> items;

          @Override
          public @Nullable Object next() {
            items = items == null ? start.items() : items;
            return items.hasNext() ? items.next() : LazyValue.END;
          }
        });
  }

  static @Nullable Object first(@Nullable Object value) {
    Iterator<? extends @Nullable Object> items = Python.iterator(value);
    return items.hasNext() ? items.next() : new Undefined("there is no first item");
  }

  static @Nullable Object last(@Nullable Object value) {
    if (!reversible(value)) {
      throw new TemplateException(Python.type(value) + " has no last item");
    }
    List<@Nullable Object> items = Python.items(value);
    return items.isEmpty() ? new Undefined("there is no last item") : items.getLast();
  }

  private static boolean reversible(@Nullable Object value) {
    return value instanceof List
        || value instanceof String
        || value instanceof Map
        || value instanceof Range
        || value instanceof View
        || value instanceof Undefined;
  }

  static Object reversed(@Nullable Object value) {
    if (value instanceof String text) {
      Budget.text(2L * text.length());
      return new StringBuilder(text).reverse().toString();
    }
    List<@Nullable Object> items = Python.items(value);
    Collections.reverse(items);
    return reversible(value) ? LazyValue.of(items.iterator()) : items;
  }

  static String joined(@Nullable Object value, Arguments arguments) {
    Object attribute = arguments.get(1);
    List<String> parts = new ArrayList<>();
    for (Object item : Python.items(value)) {
      parts.add(Repr.text(attribute == null ? item : at(item, attribute)));
    }
    return PythonText.join(arguments.has(0) ? Repr.text(arguments.get(0)) : "", parts);
  }

  /** An attribute, also of what lies within: {@code function.name}. */
  static @Nullable Object at(@Nullable Object item, @Nullable Object attribute) {
    if (attribute == null) {
      return item;
    }
    if (!(attribute instanceof String path)) {
      return AttributeAccess.item(item, attribute);
    }
    Object value = item;
    Budget.text(path.length());
    Budget.look(16L * path.length());
    for (String part : path.split("\\.", -1)) {
      Budget.hold(64);
      boolean index = !part.isEmpty() && part.chars().allMatch(Character::isDigit);
      value = AttributeAccess.item(value, index ? Numbers.parseInteger(part, 10) : part);
    }
    return value;
  }

  private static @Nullable Object folded(@Nullable Object value, boolean caseSensitive) {
    return !caseSensitive && value instanceof String text ? PythonText.lower(text) : value;
  }

  static List<@Nullable Object> sorted(@Nullable Object value, Arguments arguments) {
    boolean sensitive = arguments.flag(1);
    List<@Nullable Object> attributes = new ArrayList<>();
    if (arguments.get(2) instanceof String several) {
      attributes.addAll(PythonText.split(several, ",", -1));
    } else {
      attributes.add(arguments.get(2));
    }
    return sorted(
        Python.items(value),
        item -> {
          Budget.list(attributes.size());
          List<@Nullable Object> key = new ArrayList<>();
          attributes.forEach(attribute -> key.add(folded(at(item, attribute), sensitive)));
          return key;
        },
        arguments.flag(0));
  }

  private interface Key {
    @Nullable Object of(@Nullable Object item);
  }

  private record Keyed(@Nullable Object key, @Nullable Object item) {}

  private static List<@Nullable Object> sorted(
      List<@Nullable Object> items, Key key, boolean reverse) {
    Budget.many(items.size(), 64);
    Comparator<Keyed> order = (a, b) -> Compare.compare(a.key(), b.key());
    List<@Nullable Object> sorted = new ArrayList<>();
    items.stream()
        .map(item -> new Keyed(key.of(item), item))
        .sorted(reverse ? order.reversed() : order)
        .forEach(keyed -> sorted.add(keyed.item()));
    return sorted;
  }

  static List<@Nullable Object> dictSorted(@Nullable Object value, Arguments arguments) {
    if (!(value instanceof Map<?, ?> map)) {
      throw new TemplateException(Python.type(value) + " is not a mapping");
    }
    Object by = arguments.or(1, "key");
    if (!"key".equals(by) && !"value".equals(by)) {
      throw new TemplateException("The filter 'dictsort' sorts by 'key' or 'value'");
    }
    int place = "value".equals(by) ? 1 : 0;
    boolean sensitive = arguments.flag(0);
    return sorted(
        Methods.pairs(map),
        pair -> folded(AttributeAccess.item(pair, (long) place), sensitive),
        arguments.flag(2));
  }

  static LazyValue unique(@Nullable Object value, Arguments arguments) {
    Dict seen = new Dict();
    return later(
        () -> {
          Iterator<? extends @Nullable Object> items = Python.iterator(value);
          return new LazyValue(
              () -> {
                while (items.hasNext()) {
                  Object item = items.next();
                  Object key = folded(at(item, arguments.get(1)), arguments.flag(0));
                  Budget.look(64);
                  if (!seen.containsKey(key)) {
                    seen.put(key, true);
                    return item;
                  }
                }
                return LazyValue.END;
              });
        });
  }

  static List<@Nullable Object> grouped(@Nullable Object value, Arguments arguments) {
    boolean sensitive = arguments.flag(2);
    Key real =
        item -> {
          Object found = at(item, arguments.get(0));
          return found instanceof Undefined && arguments.get(1) != null ? arguments.get(1) : found;
        };
    Key key = item -> folded(real.of(item), sensitive);
    Budget.list(16);
    List<@Nullable Object> groups = new ArrayList<>();
    List<@Nullable Object> members = new ArrayList<>();
    for (Object item : sorted(Python.items(value), key, false)) {
      if (!members.isEmpty() && !Compare.equal(key.of(members.getFirst()), key.of(item))) {
        Budget.list(16);
        groups.add(new Group(real.of(members.getFirst()), members));
        members = new ArrayList<>();
      }
      members.add(item);
    }
    if (!members.isEmpty()) {
      groups.add(new Group(real.of(members.getFirst()), members));
    }
    return groups;
  }

  static LazyValue batches(@Nullable Object value, Arguments arguments) {
    return later(
        () -> {
          long size = arguments.integer(0);
          List<@Nullable Object> batches = new ArrayList<>();
          List<@Nullable Object> batch = new ArrayList<>();
          for (Object item : Python.items(value)) {
            if (batch.size() == size) {
              Budget.list(2);
              batches.add(batch);
              batch = new ArrayList<>();
            }
            batch.add(item);
          }
          if (!batch.isEmpty()) {
            if (arguments.get(1) != null && batch.size() < size) {
              Budget.list(size);
              batch.addAll(Collections.nCopies((int) (size - batch.size()), arguments.get(1)));
            }
            batches.add(batch);
          }
          return batches.iterator();
        });
  }

  static LazyValue slices(@Nullable Object value, Arguments arguments) {
    return later(
        () -> {
          List<@Nullable Object> items = Python.items(value);
          long count = arguments.integer(0);
          if (count == 0) {
            throw new TemplateException("Division by zero");
          }
          Budget.many(Math.max(0, count), 72);
          long each = items.size() / count;
          long longer = items.size() % count;
          List<@Nullable Object> slices = new ArrayList<>();
          int from = 0;
          for (int i = 0; i < count; i++) {
            int to = (int) (from + each + (i < longer ? 1 : 0));
            List<@Nullable Object> slice = new ArrayList<>(items.subList(from, to));
            if (arguments.get(1) != null && i >= longer) {
              slice.add(arguments.get(1));
            }
            slices.add(slice);
            from = to;
          }
          return slices.iterator();
        });
  }

  static @Nullable Object summed(@Nullable Object value, Arguments arguments) {
    Object sum = arguments.or(1, 0L);
    if (sum instanceof String) {
      throw new TemplateException("The filter 'sum' cannot sum strings; use 'join'");
    }
    for (Object item : Python.items(value)) {
      sum = Arithmetic.apply("+", sum, at(item, arguments.get(0)));
    }
    return sum;
  }

  static @Nullable Object extreme(@Nullable Object value, Arguments arguments, int sign) {
    Iterator<? extends @Nullable Object> items = Python.iterator(value);
    if (!items.hasNext()) {
      return new Undefined("there is nothing to compare");
    }
    Object best = items.next();
    Object bestKey = folded(at(best, arguments.get(1)), arguments.flag(0));
    while (items.hasNext()) {
      Object item = items.next();
      Object key = folded(at(item, arguments.get(1)), arguments.flag(0));
      if (Compare.holds(sign > 0 ? ">" : "<", key, bestKey)) {
        best = item;
        bestKey = key;
      }
    }
    return best;
  }
}
