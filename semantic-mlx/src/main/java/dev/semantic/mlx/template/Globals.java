package dev.semantic.mlx.template;

import dev.semantic.mlx.template.Python.Callable;
import dev.semantic.mlx.template.Python.Namespace;
import java.time.Clock;
import java.time.ZonedDateTime;
import java.time.format.TextStyle;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The functions that every template may call. */
final class Globals {
  private static final int LONGEST_RANGE = 100_000;

  private Globals() {}

  static void into(Frame frame, Clock clock) {
    frame.set("range", (Callable) (positional, named) -> range(positional));
    frame.set(
        "namespace", (Callable) (positional, named) -> new Namespace(merged(positional, named)));
    frame.set("dict", (Callable) (positional, named) -> merged(positional, named));
    frame.set(
        "raise_exception",
        (Callable)
            (positional, named) -> {
              throw new TemplateException(
                  "The template refuses: "
                      + (positional.isEmpty() ? "" : Python.text(positional.getFirst())));
            });
    frame.set(
        "strftime_now",
        (Callable)
            (positional, named) ->
                date(Python.text(positional.getFirst()), ZonedDateTime.now(clock)));
    frame.set("joiner", (Callable) (positional, named) -> joiner(positional));
  }

  private static List<@Nullable Object> range(List<@Nullable Object> bounds) {
    if (bounds.isEmpty()) {
      throw new TemplateException("range needs a number");
    }
    long first = bounds.size() > 1 ? Python.integer(bounds.get(0)) : 0;
    long last = Python.integer(bounds.get(bounds.size() > 1 ? 1 : 0));
    long step = bounds.size() > 2 ? Python.integer(bounds.get(2)) : 1;
    if (step == 0) {
      throw new TemplateException("range cannot step by zero");
    }
    List<@Nullable Object> numbers = new ArrayList<>();
    for (long i = first; step > 0 ? i < last : i > last; i += step) {
      if (numbers.size() == LONGEST_RANGE) {
        throw new TemplateException("A range of more than " + LONGEST_RANGE);
      }
      numbers.add(i);
    }
    return numbers;
  }

  private static Map<String, @Nullable Object> merged(
      List<@Nullable Object> positional, Map<String, @Nullable Object> named) {
    Map<String, @Nullable Object> values = new LinkedHashMap<>();
    for (Object value : positional) {
      if (value instanceof Map<?, ?> map) {
        map.forEach((key, member) -> values.put(Python.text(key), member));
      }
    }
    values.putAll(named);
    return values;
  }

  private static Callable joiner(List<@Nullable Object> arguments) {
    String separator = arguments.isEmpty() ? ", " : Python.text(arguments.getFirst());
    boolean[] used = {false};
    return (positional, named) -> {
      String text = used[0] ? separator : "";
      used[0] = true;
      return text;
    };
  }

  /** Python's strftime, as far as dates in prompts need it. */
  private static String date(String format, ZonedDateTime now) {
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < format.length(); i++) {
      if (format.charAt(i) != '%' || i == format.length() - 1) {
        out.append(format.charAt(i));
        continue;
      }
      boolean unpadded = format.charAt(i + 1) == '-' && i + 2 < format.length();
      char letter = format.charAt(unpadded ? i + 2 : i + 1);
      i += unpadded ? 2 : 1;
      String text = field(letter, now);
      out.append(unpadded ? text.replaceFirst("^0+(?=\\d)", "") : text);
    }
    return out.toString();
  }

  private static String field(char letter, ZonedDateTime now) {
    return switch (letter) {
      case 'Y' -> "%04d".formatted(now.getYear());
      case 'y' -> "%02d".formatted(now.getYear() % 100);
      case 'm' -> "%02d".formatted(now.getMonthValue());
      case 'd' -> "%02d".formatted(now.getDayOfMonth());
      case 'H' -> "%02d".formatted(now.getHour());
      case 'I' -> "%02d".formatted((now.getHour() + 11) % 12 + 1);
      case 'M' -> "%02d".formatted(now.getMinute());
      case 'S' -> "%02d".formatted(now.getSecond());
      case 'j' -> "%03d".formatted(now.getDayOfYear());
      case 'p' -> now.getHour() < 12 ? "AM" : "PM";
      case 'B' -> now.getMonth().getDisplayName(TextStyle.FULL, Locale.ENGLISH);
      case 'b', 'h' -> now.getMonth().getDisplayName(TextStyle.SHORT, Locale.ENGLISH);
      case 'A' -> now.getDayOfWeek().getDisplayName(TextStyle.FULL, Locale.ENGLISH);
      case 'a' -> now.getDayOfWeek().getDisplayName(TextStyle.SHORT, Locale.ENGLISH);
      case '%' -> "%";
      default -> throw new TemplateException("strftime_now does not know %" + letter);
    };
  }
}
