package dev.semantic.mlx.template;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A tuple as a mapping's key: equal where its items are equal keys. It has an order, so that a
 * mapping finds it among many of one hash, which strangers can make.
 */
record TupleKey(List<@Nullable Object> items) implements Comparable<TupleKey> {
  /**
   * Of a tuple's items.
   *
   * @throws TemplateException if one of them cannot be a key
   */
  static TupleKey of(Tuple tuple) {
    Budget.list(tuple.size());
    List<@Nullable Object> items = new ArrayList<>(tuple.size());
    tuple.forEach(item -> items.add(Dict.canonical(item)));
    return new TupleKey(items);
  }

  @Override
  public int compareTo(TupleKey other) {
    for (int i = 0; i < Math.min(items.size(), other.items.size()); i++) {
      int order = compare(items.get(i), other.items.get(i));
      if (order != 0) {
        return order;
      }
    }
    return Integer.compare(items.size(), other.items.size());
  }

  /** Any order does; what has none counts as equal, which a mapping takes for no answer. */
  private static int compare(@Nullable Object a, @Nullable Object b) {
    if (a == null || b == null) {
      return Boolean.compare(a == null, b == null);
    }
    if (a.getClass() != b.getClass()) {
      return a.getClass().getName().compareTo(b.getClass().getName());
    }
    return a instanceof Comparable<?> ? ordered(a, b) : 0;
  }

  @SuppressWarnings("unchecked") // both are of one class, which compares itself
  private static int ordered(Object a, Object b) {
    return ((Comparable<Object>) a).compareTo(b);
  }
}
