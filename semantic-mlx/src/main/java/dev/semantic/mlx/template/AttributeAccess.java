package dev.semantic.mlx.template;

import dev.semantic.mlx.template.Python.Callable;
import dev.semantic.mlx.template.Python.Namespace;
import dev.semantic.mlx.template.Python.Undefined;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What lies in a value: attributes, items, slices. */
final class AttributeAccess {
  private static final Object NONE = new Object();

  private AttributeAccess() {}

  /** {@code target.name}: a method or attribute, else an item of that name. */
  static @Nullable Object attribute(@Nullable Object target, String name) {
    Object found = own(target, name);
    if (found != NONE) {
      return found;
    }
    return target instanceof Map<?, ?> map && map.containsKey(name)
        ? map.get(name)
        : Undefined.member(target, name);
  }

  /** {@code target|attr(name)}: never an item. */
  static @Nullable Object attributeOnly(@Nullable Object target, String name) {
    Object found = own(target, name);
    return found != NONE ? found : Undefined.member(target, name);
  }

  /** {@code target[index]}: an item, else a method or attribute of that name. */
  static @Nullable Object item(@Nullable Object target, @Nullable Object given) {
    Object index = Markup.plain(given);
    Object found = element(target, index);
    if (found == NONE && index instanceof String name) {
      found = own(target, name);
    }
    return found != NONE ? found : Undefined.member(target, index);
  }

  private static @Nullable Object own(@Nullable Object target, String name) {
    return switch (target) {
      case Undefined none when name.equals("__class__") -> none; // even that has a class
      case Undefined none ->
          throw new TemplateException("%s, so it has no '%s'".formatted(none.why(), name));
      case LoopState loop -> loop.get(name);
      case Namespace space -> {
        boolean there = space.values().containsKey(name) && !name.startsWith("_");
        yield there ? space.values().get(name) : NONE;
      }
      case ListFilters.Group group when name.equals("grouper") -> group.getFirst();
      case ListFilters.Group group when name.equals("list") -> group.getLast();
      case Globals.Cycler cycler when name.equals("current") -> cycler.current();
      case null -> NONE;
      default -> {
        Object found = methodOf(target, name);
        yield found == null ? NONE : found;
      }
    };
  }

  /** What is never None; null where there is nothing of this name. */
  private static @Nullable Object methodOf(Object target, String name) {
    return switch (target) {
      case Globals.Cycler cycler -> cycler.method(name);
      case Dict map -> Methods.ofMapping(map, name);
      case String text -> StringMethods.of(text, name);
      case Markup markup -> markup.method(name);
      case List<?> list -> Methods.ofList(list, name);
      case Range range -> Methods.ofRange(range, name);
      case Macro macro -> macro.member(name);
      default -> Numbers.isNumber(target) ? Methods.ofNumber(target, name) : null;
    };
  }

  private static @Nullable Object element(@Nullable Object target, @Nullable Object index) {
    return switch (target) {
      case Undefined none ->
          throw new TemplateException(
              "%s, so it has no item %s".formatted(none.why(), Repr.of(index)));
      case Dict map -> hashable(index) && map.containsKey(index) ? map.get(index) : NONE;
      case List<?> list when Numbers.isInteger(index) -> {
        long at = place(index, list.size());
        yield at < 0 ? NONE : list.get((int) at);
      }
      case Range range when Numbers.isInteger(index) -> {
        long at = place(index, range.size());
        yield at < 0 ? NONE : (Object) range.get(at);
      }
      case String text when Numbers.isInteger(index) -> character(text, index);
      case Markup markup when Numbers.isInteger(index) -> {
        Object found = character(markup.text(), index);
        yield found instanceof String text ? new Markup(text) : found;
      }
      case null, default -> NONE;
    };
  }

  private static boolean hashable(@Nullable Object index) {
    return !(index instanceof Map) && (!(index instanceof List) || index instanceof Tuple);
  }

  /** An index from the start; negative where there is nothing. */
  private static long place(@Nullable Object index, long size) {
    long at = index instanceof java.math.BigInteger ? size : Numbers.integer(index);
    long fromStart = at < 0 ? at + size : at;
    return fromStart < size ? fromStart : -1;
  }

  private static Object character(String text, @Nullable Object index) {
    Budget.look(text.length());
    long at = place(index, PythonText.length(text));
    return at < 0
        ? NONE
        : Character.toString(text.codePointAt(text.offsetByCodePoints(0, (int) at)));
  }

  /** Python's slices: negative bounds count from the end, whatever lies outside is left out. */
  static Object slice(
      @Nullable Object target,
      @Nullable Object start,
      @Nullable Object stop,
      @Nullable Object step) {
    if (target instanceof Markup markup) {
      return new Markup(Repr.text(slice(markup.text(), start, stop, step)));
    }
    if (!(target instanceof String || target instanceof List || target instanceof Range)) {
      throw new TemplateException(Python.type(target) + " cannot be sliced");
    }
    long stride = step == null ? 1 : Numbers.integer(step);
    if (stride == 0) {
      throw new TemplateException("A slice cannot step by zero");
    }
    long size = Python.length(target);
    long from = bound(start, stride > 0 ? 0 : size - 1, size, stride);
    long to = bound(stop, stride > 0 ? size : -1, size, stride);
    if (target instanceof Range range) {
      return range.slice(from, to, stride);
    }
    if (target instanceof String text && stride == 1) {
      int begin = text.offsetByCodePoints(0, (int) from);
      Budget.look(text.length());
      Budget.text(2 * Math.max(0, to - from));
      return to <= from
          ? ""
          : text.substring(begin, text.offsetByCodePoints(begin, (int) (to - from)));
    }
    List<?> items = target instanceof List<?> list ? list : Python.items(target);
    Budget.list(0);
    List<@Nullable Object> part = new ArrayList<>();
    for (long i = from; stride > 0 ? i < to : i > to; i += stride) {
      Budget.hold(32);
      part.add(items.get((int) i));
    }
    if (target instanceof String) {
      return PythonText.join("", part.stream().map(Repr::text).toList());
    }
    return target instanceof Tuple ? new Tuple(part) : part;
  }

  private static long bound(@Nullable Object value, long without, long size, long stride) {
    if (value == null) {
      return without;
    }
    long at = Numbers.integer(value);
    long positive = at < 0 ? at + size : at;
    return stride > 0 ? Math.clamp(positive, 0L, size) : Math.clamp(positive, -1L, size - 1);
  }

  /** A callable that checks its arguments first. */
  static Callable method(
      String name,
      String signature,
      java.util.function.Function<Arguments, @Nullable Object> body) {
    Signature parameters = Signature.of(signature);
    return (positional, named) -> body.apply(parameters.bind(name, positional, named));
  }
}
