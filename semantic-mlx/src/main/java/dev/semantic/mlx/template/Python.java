package dev.semantic.mlx.template;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The kinds of values there are, and what Python knows of each: truth, length, items. */
final class Python {
  private Python() {}

  /**
   * A value that does not exist; prints as nothing, and is an error to look into.
   *
   * @param why a sentence's beginning: "'x' is undefined"
   */
  record Undefined(String why) {
    static Undefined name(String name) {
      Budget.text(name.length());
      return new Undefined("'" + name + "' is undefined");
    }

    static Undefined member(@Nullable Object target, @Nullable Object name) {
      Budget.hold(256);
      return new Undefined(type(target) + " has no " + Repr.of(name));
    }
  }

  /** What can be called. */
  @FunctionalInterface
  interface Callable {
    @Nullable Object call(List<@Nullable Object> positional, Map<String, @Nullable Object> named);
  }

  /** {@code namespace(...)}: the only object whose attributes a template may set. */
  record Namespace(Dict values) {
    @Override
    @SuppressWarnings("ReferenceEquality") // Python compares them so
    public boolean equals(@Nullable Object other) {
      return this == other;
    }

    @Override
    public int hashCode() {
      return System.identityHashCode(this);
    }
  }

  /** What {@code dict.keys()} and its like give: lists that cannot be looked into. */
  record View(String name, List<@Nullable Object> items) {
    @Override
    @SuppressWarnings("ReferenceEquality") // as a key; Compare knows when two are equal
    public boolean equals(@Nullable Object other) {
      return this == other;
    }

    @Override
    public int hashCode() {
      return System.identityHashCode(this);
    }
  }

  static boolean isTrue(@Nullable Object value) {
    return switch (value) {
      case null -> false;
      case Undefined none -> false;
      case Boolean b -> b;
      case Long n -> n != 0;
      case Double d -> d != 0;
      case String s -> !s.isEmpty();
      case Markup markup -> !markup.text().isEmpty();
      case List<?> list -> !list.isEmpty();
      case Map<?, ?> map -> !map.isEmpty();
      case View view -> !view.items().isEmpty();
      case Range range -> range.size() > 0;
      default -> true;
    };
  }

  static String type(@Nullable Object value) {
    return switch (value) {
      case null -> "None";
      case Undefined none -> "a value that is missing (" + none.why() + ")";
      case Boolean b -> "a truth value";
      case Long n -> "an integer";
      case BigInteger n -> "an integer";
      case Double d -> "a number";
      case String s -> "a string";
      case Markup markup -> "a string";
      case Tuple tuple -> "a tuple";
      case List<?> list -> "a list";
      case Map<?, ?> map -> "a mapping";
      case View view -> "a view of a mapping";
      case Range range -> "a range";
      case LazyValue lazy -> "a generator";
      case Namespace space -> "a namespace";
      case LoopState loop -> "a loop";
      case Callable callable -> "a function";
      default -> "an object";
    };
  }

  /** {@code len(value)}; negative where there is none. */
  static long lengthOrNone(@Nullable Object value) {
    return switch (value) {
      case String s -> PythonText.length(s);
      case Markup markup -> PythonText.length(markup.text());
      case List<?> list -> list.size();
      case Map<?, ?> map -> map.size();
      case View view -> view.items().size();
      case Range range -> range.size();
      case LoopState loop -> loop.length();
      case Undefined none -> 0;
      case null, default -> -1;
    };
  }

  static long length(@Nullable Object value) {
    long length = lengthOrNone(value);
    if (length < 0) {
      throw new TemplateException(type(value) + " has no length");
    }
    return length;
  }

  static boolean isIterable(@Nullable Object value) {
    return lengthOrNone(value) >= 0 || value instanceof LazyValue;
  }

  /** What a loop goes through: a list's items, a string's characters, a mapping's keys. */
  static Iterator<? extends @Nullable Object> iterator(@Nullable Object value) {
    return switch (value) {
      case List<?> list -> list.iterator();
      case Map<?, ?> map -> map.keySet().iterator();
      case String s -> PythonText.characters(s).iterator();
      case Markup markup -> PythonText.characters(markup.text()).iterator();
      case View view -> view.items().iterator();
      case Range range -> range.iterator();
      case LazyValue lazy -> lazy;
      case Undefined none -> Collections.emptyIterator();
      case null, default -> throw new TemplateException(type(value) + " cannot be gone through");
    };
  }

  /** All items, in a list of their own. */
  static List<@Nullable Object> items(@Nullable Object value) {
    if (value instanceof String text) {
      return PythonText.characters(text);
    }
    Budget.list(0);
    List<@Nullable Object> items = new ArrayList<>();
    iterator(value)
        .forEachRemaining(
            item -> {
              Budget.hold(32);
              items.add(item);
            });
    return items;
  }

  /**
   * Host values in the few types that templates know.
   *
   * @throws TemplateException for others: a template sees nothing but plain values
   */
  static @Nullable Object of(@Nullable Object value) {
    return switch (value) {
      case null -> null;
      case String s -> s;
      case Boolean b -> b;
      case Long n -> n;
      case Double d -> d;
      case Integer n -> (long) n;
      case Short n -> (long) n;
      case Byte n -> (long) n;
      case Float f -> (double) f;
      case BigDecimal d -> d.doubleValue();
      case BigInteger n -> Numbers.whole(n);
      case List<?> list -> {
        Budget.list(list.size());
        List<@Nullable Object> copy = new ArrayList<>(list.size());
        list.forEach(item -> copy.add(of(item)));
        yield copy;
      }
      case Map<?, ?> map -> {
        Dict copy = new Dict();
        map.forEach((key, member) -> copy.put(of(key), of(member)));
        yield copy;
      }
      default ->
          throw new TemplateException(
              "A template takes texts, numbers, truth values, null, lists and maps, not "
                  + value.getClass().getName());
    };
  }
}
