package dev.semantic.mlx.template;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The variables of a block, over those around it. */
final class Frame {
  private static final int BYTES = 160;
  private static final int VARIABLE = 40;

  private final @Nullable Frame outer;
  private final Map<String, @Nullable Object> values = new HashMap<>();
  private boolean kept;

  Frame(@Nullable Frame outer) {
    Budget.hold(BYTES);
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
    int before = values.size();
    values.put(name, value);
    Budget.many(values.size() - before, VARIABLE);
  }

  /** Something that may live longer than the block sees this frame. */
  void keep() {
    for (Frame frame = this; frame != null && !frame.kept; frame = frame.outer) {
      frame.kept = true;
    }
  }

  /** The block has ended: what the frame itself took is free again, unless it is kept. */
  void end() {
    if (!kept) {
      Budget.release(BYTES + (long) VARIABLE * values.size());
    }
  }
}
