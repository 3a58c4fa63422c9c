package dev.semantic.mlx.template;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** {@code json.dumps(value, ensure_ascii=False)}, white space and all. */
final class Json {
  private final @Nullable String indent;
  private final String itemSeparator;
  private final String keySeparator;
  private final boolean sorted;
  private final boolean ascii;
  private final StringBuilder out = new StringBuilder();

  private Json(Map<String, @Nullable Object> options) {
    Object width = options.get("indent");
    this.indent =
        width == null
            ? null
            : width instanceof String text
                ? text
                : " ".repeat((int) Math.clamp(Python.integer(width), 0L, 100L));
    Object separators = options.get("separators");
    List<@Nullable Object> given = separators == null ? List.of() : Python.items(separators);
    this.itemSeparator =
        given.size() == 2 ? Python.text(given.get(0)) : indent == null ? ", " : ",";
    this.keySeparator = given.size() == 2 ? Python.text(given.get(1)) : ": ";
    this.sorted = Python.isTrue(options.get("sort_keys"));
    this.ascii = Python.isTrue(options.get("ensure_ascii"));
  }

  static String of(@Nullable Object value, Map<String, @Nullable Object> options) {
    Json json = new Json(options);
    json.write(value, 1);
    return json.out.toString();
  }

  private void write(@Nullable Object value, int depth) {
    if (depth > 100) {
      throw new TemplateException("A value nested too deeply for JSON");
    }
    switch (value) {
      case null -> out.append("null");
      case Boolean b -> out.append(b.booleanValue());
      case Long n -> out.append(n.longValue());
      case Double d ->
          out.append(
              Double.isInfinite(d)
                  ? d > 0 ? "Infinity" : "-Infinity"
                  : Double.isNaN(d) ? "NaN" : Python.decimal(d));
      case String s -> string(s);
      case List<?> list -> list(list, depth);
      case Map<?, ?> map -> map(sorted ? byKey(map) : map, depth);
      default -> throw new TemplateException(Python.type(value) + " cannot be written as JSON");
    }
  }

  private static Map<?, ?> byKey(Map<?, ?> map) {
    Map<String, @Nullable Object> sorted = new TreeMap<>();
    map.forEach((key, value) -> sorted.put(Python.text(key), value));
    return sorted;
  }

  private void list(List<?> list, int depth) {
    if (list.isEmpty()) {
      out.append("[]");
      return;
    }
    out.append('[');
    boolean first = true;
    for (Object item : list) {
      separate(first, depth);
      first = false;
      write(item, depth + 1);
    }
    newline(depth - 1);
    out.append(']');
  }

  private void map(Map<?, ?> map, int depth) {
    if (map.isEmpty()) {
      out.append("{}");
      return;
    }
    out.append('{');
    boolean first = true;
    for (Map.Entry<?, ?> entry : map.entrySet()) {
      separate(first, depth);
      first = false;
      string(key(entry.getKey()));
      out.append(keySeparator);
      write(entry.getValue(), depth + 1);
    }
    newline(depth - 1);
    out.append('}');
  }

  private static String key(@Nullable Object key) {
    return switch (key) {
      case null -> "null";
      case Boolean b -> b ? "true" : "false";
      default -> Python.text(key);
    };
  }

  private void separate(boolean first, int depth) {
    if (!first) {
      out.append(itemSeparator);
    }
    newline(depth);
  }

  private void newline(int depth) {
    if (indent != null) {
      out.append('\n').append(indent.repeat(depth));
    }
  }

  private void string(String text) {
    out.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"' -> out.append("\\\"");
        case '\\' -> out.append("\\\\");
        case '\n' -> out.append("\\n");
        case '\r' -> out.append("\\r");
        case '\t' -> out.append("\\t");
        case '\b' -> out.append("\\b");
        case '\f' -> out.append("\\f");
        default -> {
          if (c < 32 || (ascii && c > 126)) {
            out.append("\\u%04x".formatted((int) c));
          } else {
            out.append(c);
          }
        }
      }
    }
    out.append('"');
  }
}
