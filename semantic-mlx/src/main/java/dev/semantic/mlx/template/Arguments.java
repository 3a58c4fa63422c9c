package dev.semantic.mlx.template;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** A call's arguments, in the order of the function's parameters. */
@SuppressWarnings("ArrayRecordComponent") // never leaves the call it was made for
record Arguments(
    String function, List<String> names, List<@Nullable Object> values, boolean[] set) {
  boolean has(int index) {
    return set[index];
  }

  @Nullable Object get(int index) {
    return values.get(index);
  }

  @Nullable Object or(int index, @Nullable Object otherwise) {
    return set[index] ? values.get(index) : otherwise;
  }

  boolean flag(int index) {
    return set[index] && Python.isTrue(values.get(index));
  }

  /** A string, and nothing that could become one. */
  String text(int index) {
    if (values.get(index) instanceof String text) {
      return text;
    }
    throw new TemplateException(
        "%s needs a string as '%s', not %s"
            .formatted(function, names.get(index), Python.type(values.get(index))));
  }

  String textOr(int index, String otherwise) {
    return set[index] ? text(index) : otherwise;
  }

  @Nullable String textOrNone(int index) {
    return values.get(index) == null ? null : text(index);
  }

  long integer(int index) {
    return Numbers.integer(values.get(index));
  }

  long integerOr(int index, long otherwise) {
    return set[index] ? integer(index) : otherwise;
  }
}
