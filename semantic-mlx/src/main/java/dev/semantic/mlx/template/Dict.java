package dev.semantic.mlx.template;

import dev.semantic.mlx.template.Python.Undefined;
import dev.semantic.mlx.template.Python.View;
import java.math.BigInteger;
import java.util.AbstractMap;
import java.util.AbstractSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A mapping in the order of insertion, whose keys are the same when Python finds them equal. */
final class Dict extends AbstractMap<@Nullable Object, @Nullable Object> {
  private final Map<@Nullable Object, Entry<@Nullable Object, @Nullable Object>> entries =
      new LinkedHashMap<>();

  private static final int BYTES = 128;
  private static final int ENTRY = 96;

  Dict() {
    Budget.hold(BYTES);
  }

  Dict(Map<?, ?> other) {
    this();
    other.forEach(this::put);
  }

  /**
   * A key's stand-in: 1, 1.0 and True are one key, and tuples are compared by their items.
   *
   * @throws TemplateException if the value cannot be a key
   */
  static @Nullable Object canonical(@Nullable Object key) {
    Budget.look(64); // and what it takes to find it among others
    return switch (key) {
      case Boolean b -> b ? 1L : 0L;
      case Double d when d == Math.rint(d) && Math.abs(d) < 1L << 53 -> d.longValue();
      case String text -> {
        Budget.look(text.length());
        yield text;
      }
      case Tuple tuple -> TupleKey.of(tuple);
      case Markup markup -> canonical(markup.text());
      case BigInteger n -> {
        Budget.look(n.bitLength());
        yield n;
      }
      case Undefined none -> Undefined.class; // they are all equal
      case List<?> list -> throw new TemplateException("A list cannot be a key");
      case Map<?, ?> map -> throw new TemplateException("A mapping cannot be a key");
      case View view when !view.name().equals("dict_values") ->
          throw new TemplateException("A view of a mapping cannot be a key");
      case null, default -> key;
    };
  }

  @Override
  public @Nullable Object put(@Nullable Object key, @Nullable Object value) {
    Object canonical = canonical(key);
    Entry<@Nullable Object, @Nullable Object> known = entries.get(canonical);
    if (known != null) {
      return known.setValue(value); // the first key stays, as in Python
    }
    Budget.hold(ENTRY);
    entries.put(canonical, new SimpleEntry<>(key, value));
    return null;
  }

  @Override
  public boolean containsKey(@Nullable Object key) {
    return entries.containsKey(canonical(key));
  }

  @Override
  public @Nullable Object get(@Nullable Object key) {
    Entry<@Nullable Object, @Nullable Object> found = entries.get(canonical(key));
    return found == null ? null : found.getValue();
  }

  @Override
  public Set<Entry<@Nullable Object, @Nullable Object>> entrySet() {
    return new AbstractSet<>() {
      @Override
      public Iterator<Entry<@Nullable Object, @Nullable Object>> iterator() {
        return entries.values().iterator();
      }

      @Override
      public int size() {
        return entries.size();
      }
    };
  }
}
