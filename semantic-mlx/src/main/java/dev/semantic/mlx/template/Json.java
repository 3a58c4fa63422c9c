package dev.semantic.mlx.template;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** {@code json.dumps(value, ensure_ascii=False)}, white space and all. */
final class Json {
  private final @Nullable String indent;
  private final String itemSeparator;
  private final String keySeparator;
  private final boolean sorted;
  private final boolean ascii;
  private final StringBuilder out = new StringBuilder();

  private Json(Arguments arguments) {
    Object width = arguments.get(1);
    this.indent =
        width == null
            ? null
            : width instanceof String text ? text : spaces(Math.max(0, Numbers.integer(width)));
    List<@Nullable Object> separators =
        arguments.get(2) == null ? List.of() : Python.items(arguments.get(2));
    if (!separators.isEmpty() && separators.size() != 2) {
      throw new TemplateException("tojson needs two separators, not " + separators.size());
    }
    this.itemSeparator =
        separators.isEmpty() ? indent == null ? ", " : "," : text(separators.get(0));
    this.keySeparator = separators.isEmpty() ? ": " : text(separators.get(1));
    this.sorted = arguments.flag(3);
    this.ascii = arguments.flag(0);
  }

  private static String spaces(long count) {
    Budget.text(count);
    return " ".repeat((int) count);
  }

  private static String text(@Nullable Object separator) {
    if (separator instanceof String text) {
      return text;
    }
    throw new TemplateException("tojson's separators are strings, not " + Python.type(separator));
  }

  /**
   * @param arguments {@code ensure_ascii, indent, separators, sort_keys}
   */
  static String of(@Nullable Object value, Arguments arguments) {
    Json json = new Json(arguments);
    json.write(value, 1);
    Budget.text(json.out.length());
    return json.out.toString();
  }

  private void write(@Nullable Object value, int depth) {
    Budget.hold(16);
    if (depth > 500) {
      throw new TemplateException("A value nested too deeply for JSON");
    }
    switch (Markup.plain(value)) {
      case null -> out.append("null");
      case Boolean b -> out.append(b.booleanValue());
      case Long n -> out.append(n.longValue());
      case BigInteger n -> out.append(Numbers.text(n));
      case Double d ->
          out.append(
              Double.isInfinite(d)
                  ? d > 0 ? "Infinity" : "-Infinity"
                  : Double.isNaN(d) ? "NaN" : Repr.decimal(d));
      case String s -> string(s);
      case List<?> list -> list(list, depth);
      case Map<?, ?> map -> map(map, depth);
      default -> throw new TemplateException(Python.type(value) + " cannot be written as JSON");
    }
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
    Budget.list(map.size());
    List<Map.Entry<?, ?>> entries = new ArrayList<>(map.entrySet());
    if (sorted) {
      entries.sort((a, b) -> Compare.compare(a.getKey(), b.getKey()));
    }
    for (Map.Entry<?, ?> entry : entries) {
      separate(first, depth);
      first = false;
      string(key(entry.getKey()));
      Budget.many(keySeparator.length(), 2);
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
      case String s -> s;
      case Long n -> n.toString();
      case BigInteger n -> Numbers.text(n);
      case Double d -> Repr.decimal(d);
      default -> throw new TemplateException(Python.type(key) + " cannot be a key in JSON");
    };
  }

  private void separate(boolean first, int depth) {
    if (!first) {
      Budget.many(itemSeparator.length(), 2);
      out.append(itemSeparator);
    }
    newline(depth);
  }

  private void newline(int depth) {
    if (indent != null) {
      Budget.many(indent.length(), 2L * depth);
      out.append('\n').append(indent.repeat(depth));
    }
  }

  private void string(String text) {
    Budget.many(text.length(), 2);
    Budget.look(4L * text.length());
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
            Budget.hold(12);
            out.append("\\u").append(HexFormat.of().toHexDigits(c));
          } else {
            out.append(c);
          }
        }
      }
    }
    out.append('"');
  }
}
