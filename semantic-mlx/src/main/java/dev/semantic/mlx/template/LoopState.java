package dev.semantic.mlx.template;

import dev.semantic.mlx.template.Python.Callable;
import dev.semantic.mlx.template.Python.Undefined;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The {@code loop} variable of a for block, and what brings it from item to item. */
final class LoopState {
  private final int depth;
  private final @Nullable Callable again;
  private LazyValue items;
  private long length;
  private long index = -1;
  private @Nullable Object before;
  private @Nullable Object current;
  private @Nullable Object lastChanged = new Undefined("nothing has changed yet");

  /**
   * Before the first item.
   *
   * @param again calls the loop's body with other items; null where the loop is not recursive
   */
  LoopState(@Nullable Object items, int depth, @Nullable Callable again) {
    Budget.hold(64);
    this.items = LazyValue.of(Python.iterator(items));
    this.length = items instanceof LazyValue ? -1 : Python.length(items);
    this.depth = depth;
    this.again = again;
  }

  boolean hasNext() {
    return items.hasNext();
  }

  @Nullable Object next() {
    before = current;
    current = items.next();
    index++;
    return current;
  }

  /** Asked of a generator it takes all that is left out of it, as Python's does. */
  long length() {
    if (length < 0) {
      List<@Nullable Object> rest = new ArrayList<>();
      items.forEachRemaining(
          item -> {
            Budget.hold(32);
            rest.add(item);
          });
      items = LazyValue.of(rest.iterator());
      length = rest.size() + index + 1;
    }
    return length;
  }

  String place() {
    return (index + 1) + "/" + length();
  }

  /** A member, or an undefined value. */
  @Nullable Object get(String name) {
    return switch (name) {
      case "index" -> index + 1;
      case "index0" -> index;
      case "revindex" -> length() - index;
      case "revindex0" -> length() - index - 1;
      case "first" -> index == 0;
      case "last" -> !items.hasNext();
      case "length" -> length();
      case "depth" -> (long) depth;
      case "depth0" -> (long) depth - 1;
      case "previtem" -> index > 0 ? before : new Undefined("there is no previous item");
      case "nextitem" -> items.hasNext() ? items.peek() : new Undefined("there is no next item");
      case "cycle" ->
          (Callable)
              (positional, named) -> {
                Signature.of("").bind("cycle", List.of(), named);
                if (positional.isEmpty()) {
                  throw new TemplateException("cycle needs something to go through");
                }
                return positional.get((int) (index % positional.size()));
              };
      case "changed" ->
          (Callable)
              (positional, named) -> {
                Signature.of("").bind("changed", List.of(), named);
                return changed(positional);
              };
      default -> Undefined.member(this, name);
    };
  }

  private boolean changed(List<@Nullable Object> values) {
    boolean differs = !Compare.equal(lastChanged, values);
    lastChanged = values;
    return differs;
  }

  Callable again() {
    if (again == null) {
      throw new TemplateException("Only a loop with 'recursive' can be called");
    }
    return again;
  }
}
