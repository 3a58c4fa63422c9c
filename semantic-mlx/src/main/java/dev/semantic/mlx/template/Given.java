package dev.semantic.mlx.template;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A filter's arguments, by place or name. */
record Given(
    String filter, List<@Nullable Object> positional, Map<String, @Nullable Object> named) {
  @Nullable Object or(int index, String name, @Nullable Object otherwise) {
    if (index < positional.size()) {
      return positional.get(index);
    }
    return named.containsKey(name) ? named.get(name) : otherwise;
  }

  Object need(int index, String name) {
    Object value = or(index, name, null);
    if (value == null) {
      throw new TemplateException("The filter '%s' needs '%s'".formatted(filter, name));
    }
    return value;
  }

  boolean flag(int index, String name) {
    return Python.isTrue(or(index, name, false));
  }
}
