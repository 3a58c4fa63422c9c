package dev.semantic.mlx.template;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The filters that make texts. */
final class TextFilters {
  private static final HexFormat HEX = HexFormat.of().withUpperCase();
  private static final Pattern WORD = Pattern.compile("\\w+", Pattern.UNICODE_CHARACTER_CLASS);

  private TextFilters() {}

  /** Unlike {@code str.title}, a word begins only after white space or an opening bracket. */
  static String title(String text) {
    Budget.many(text.length(), 4);
    Budget.look(16L * text.length());
    StringBuilder out = new StringBuilder();
    int from = 0;
    while (from < text.length()) {
      int to = from;
      boolean between = beginsWord(text.charAt(from));
      while (to < text.length() && beginsWord(text.charAt(to)) == between) {
        to++;
      }
      int first = text.offsetByCodePoints(from, 1);
      out.append(PythonText.upper(text.substring(from, first)));
      out.append(PythonText.lower(text.substring(first, to)));
      from = to;
    }
    return out.toString();
  }

  private static boolean beginsWord(char c) {
    return PythonText.isSpace(c) || "-({[<".indexOf(c) >= 0;
  }

  static String escaped(String text) {
    Budget.many(text.length(), 20);
    Budget.look(16L * text.length());
    return text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&#34;")
        .replace("'", "&#39;");
  }

  static String replaced(String text, Arguments arguments) {
    long count = arguments.get(2) == null ? -1 : arguments.integer(2);
    return PythonText.replace(
        text, Repr.text(arguments.get(0)), Repr.text(arguments.get(1)), count);
  }

  static String indented(@Nullable Object value, Arguments arguments) {
    String space =
        arguments.or(0, 4L) instanceof String s
            ? s
            : PythonText.pad("", arguments.integerOr(0, 4), " ", 1);
    boolean blank = arguments.flag(2);
    List<@Nullable Object> lines = PythonText.lines(line(string("indent", value)), false);
    StringBuilder out = new StringBuilder(arguments.flag(1) ? space : "");
    for (int i = 0; i < lines.size(); i++) {
      String line = Repr.text(lines.get(i));
      boolean indent = i > 0 && (blank || !line.isEmpty());
      Budget.many((long) line.length() + space.length(), 4);
      out.append(i == 0 ? "" : "\n").append(indent ? space : "").append(line);
    }
    return out.toString();
  }

  private static String line(String text) {
    Budget.text(text.length());
    return text + "\n";
  }

  private static String string(String filter, @Nullable Object value) {
    if (value instanceof String text) {
      return text;
    }
    throw new TemplateException(
        "The filter '%s' needs a string, not %s".formatted(filter, Python.type(value)));
  }

  static @Nullable Object truncated(@Nullable Object value, Arguments arguments) {
    long length = arguments.integerOr(0, 255);
    String end = arguments.textOr(2, "...");
    long leeway = arguments.get(3) == null ? 5 : arguments.integer(3);
    if (length < PythonText.length(end) || leeway < 0) {
      throw new TemplateException("The filter 'truncate' cannot cut to that length");
    }
    if (Python.length(value) <= length + leeway) {
      return value;
    }
    String text = string("truncate", value);
    Budget.text(2L * length + end.length());
    String cut = text.substring(0, PythonText.offset(text, length - PythonText.length(end)));
    int space = cut.lastIndexOf(' ');
    return (arguments.flag(1) || space < 0 ? cut : cut.substring(0, space)) + end;
  }

  static long words(String text) {
    Budget.look(16L * text.length());
    Matcher words = WORD.matcher(text);
    long count = 0;
    while (words.find()) {
      count++;
    }
    return count;
  }

  static String formatted(
      @Nullable Object value,
      List<@Nullable Object> positional,
      Map<String, @Nullable Object> named) {
    if (!positional.isEmpty() && !named.isEmpty()) {
      throw new TemplateException("The filter 'format' takes values by place or by name, not both");
    }
    return PercentFormat.of(
        Repr.text(value), named.isEmpty() ? new Tuple(positional) : new Dict(named));
  }

  static String urlEncoded(@Nullable Object value) {
    if (value instanceof String || !Python.isIterable(value)) {
      return encoded(Repr.text(value), "-._~/");
    }
    List<String> pairs = new ArrayList<>();
    Object items = value instanceof Dict map ? Methods.pairs(map) : value;
    for (Object item : Python.items(items)) {
      List<@Nullable Object> pair = Python.items(item);
      if (pair.size() != 2) {
        throw new TemplateException("The filter 'urlencode' needs pairs");
      }
      pairs.add(query(pair.get(0)) + "=" + query(pair.get(1)));
    }
    return PythonText.join("&", pairs);
  }

  private static String query(@Nullable Object value) {
    return encoded(Repr.text(value), "-._~").replace("%20", "+");
  }

  private static String encoded(String text, String kept) {
    Budget.many(text.length(), 40); // as bytes, each of which takes three characters
    StringBuilder out = new StringBuilder();
    for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
      char c = (char) (b & 0xff);
      if (c < 128 && (Character.isLetterOrDigit(c) || kept.indexOf(c) >= 0)) {
        out.append(c);
      } else {
        out.append('%').append(HEX.toHighHexDigit(b)).append(HEX.toLowHexDigit(b));
      }
    }
    return out.toString();
  }
}
