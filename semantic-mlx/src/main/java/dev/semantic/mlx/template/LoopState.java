package dev.semantic.mlx.template;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** The {@code loop} variable of a for block. */
final class LoopState {
  private final List<@Nullable Object> items;
  private final int depth;
  private final Python.@Nullable Callable again;
  private int index;
  private @Nullable Object lastChanged = new Python.Undefined("changed");

  /**
   * Before the first item.
   *
   * @param again calls the loop's body with other items; null where the loop is not recursive
   */
  LoopState(List<@Nullable Object> items, int depth, Python.@Nullable Callable again) {
    this.items = items;
    this.depth = depth;
    this.again = again;
  }

  void at(int newIndex) {
    index = newIndex;
  }

  int depth() {
    return depth;
  }

  @Nullable Object get(String name) {
    int length = items.size();
    return switch (name) {
      case "index" -> (long) index + 1;
      case "index0" -> (long) index;
      case "revindex" -> (long) length - index;
      case "revindex0" -> (long) length - index - 1;
      case "first" -> index == 0;
      case "last" -> index == length - 1;
      case "length" -> (long) length;
      case "depth" -> (long) depth;
      case "depth0" -> (long) depth - 1;
      case "previtem" -> index > 0 ? items.get(index - 1) : new Python.Undefined("previtem");
      case "nextitem" ->
          index < length - 1 ? items.get(index + 1) : new Python.Undefined("nextitem");
      case "cycle" ->
          (Python.Callable)
              (positional, named) -> positional.get(Math.floorMod(index, positional.size()));
      case "changed" -> (Python.Callable) (positional, named) -> changed(positional);
      default -> new Python.Undefined("loop." + name);
    };
  }

  private boolean changed(List<@Nullable Object> values) {
    boolean differs = !Python.equal(lastChanged, values);
    lastChanged = values;
    return differs;
  }

  Python.@Nullable Callable again() {
    return again;
  }
}
