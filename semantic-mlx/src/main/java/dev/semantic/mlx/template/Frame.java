package dev.semantic.mlx.template;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The variables of a block, over those around it. */
final class Frame {
  private final @Nullable Frame outer;
  private final Map<String, @Nullable Object> values = new HashMap<>();

  Frame(@Nullable Frame outer) {
    this.outer = outer;
  }

  @Nullable Object get(String name) {
    for (Frame frame = this; frame != null; frame = frame.outer) {
      if (frame.values.containsKey(name)) {
        return frame.values.get(name);
      }
    }
    return Python.Undefined.name(name);
  }

  /** Sets a variable of this block; those around it keep theirs. */
  void set(String name, @Nullable Object value) {
    values.put(name, value);
  }
}
