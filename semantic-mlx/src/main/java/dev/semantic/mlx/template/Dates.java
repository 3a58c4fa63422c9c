package dev.semantic.mlx.template;

import java.time.ZonedDateTime;
import java.time.format.TextStyle;
import java.time.temporal.ChronoField;
import java.time.temporal.IsoFields;
import java.util.Locale;

/** Python's {@code strftime}, in the C locale. */
final class Dates {
  private Dates() {}

  static String format(String format, ZonedDateTime now) {
    Budget.many(format.length(), 4);
    StringBuilder out = new StringBuilder();
    int i = 0;
    while (i < format.length()) {
      char c = format.charAt(i++);
      if (c != '%' || i == format.length()) {
        out.append(c);
        continue;
      }
      int flagsFrom = i;
      while (i < format.length() - 1 && "-_0^#".indexOf(format.charAt(i)) >= 0) {
        i++;
      }
      String flags = format.substring(flagsFrom, i);
      Budget.look(1024 + 1024L * flags.length());
      String text = flagged(field(format.charAt(i++), now), flags);
      Budget.many(text.length() + 32L, 4);
      out.append(text);
    }
    return out.toString();
  }

  /** GNU's flags: {@code -} without padding, {@code _} with spaces, {@code ^} in capitals. */
  private static String flagged(String text, String flags) {
    String result = text;
    for (int i = 0; i < flags.length(); i++) {
      result =
          switch (flags.charAt(i)) {
            case '-' -> result.replaceFirst("^[0 ]+(?=\\d)", "");
            case '_' -> {
              String bare = result.replaceFirst("^0+(?=\\d)", "");
              yield " ".repeat(result.length() - bare.length()) + bare;
            }
            case '0' -> result.replace(' ', '0');
            case '^' -> PythonText.upper(result);
            default -> Characters.swapCase(result);
          };
    }
    return result;
  }

  private static String field(char letter, ZonedDateTime now) {
    return switch (letter) {
      case 'Y' -> Integer.toString(now.getYear());
      case 'C' -> two(now.getYear() / 100);
      case 'y' -> two(now.getYear() % 100);
      case 'm' -> two(now.getMonthValue());
      case 'd' -> two(now.getDayOfMonth());
      case 'e' -> "%2d".formatted(now.getDayOfMonth());
      case 'j' -> "%03d".formatted(now.getDayOfYear());
      case 'B' -> now.getMonth().getDisplayName(TextStyle.FULL, Locale.ENGLISH);
      case 'b', 'h' ->
          now.getMonth().getDisplayName(TextStyle.FULL, Locale.ENGLISH).substring(0, 3);
      case 'A' -> now.getDayOfWeek().getDisplayName(TextStyle.FULL, Locale.ENGLISH);
      case 'a' -> now.getDayOfWeek().getDisplayName(TextStyle.FULL, Locale.ENGLISH).substring(0, 3);
      case 'u' -> Integer.toString(now.getDayOfWeek().getValue());
      case 'w' -> Integer.toString(now.getDayOfWeek().getValue() % 7);
      case 'U' -> two((now.getDayOfYear() + 6 - now.getDayOfWeek().getValue() % 7) / 7);
      case 'W' -> two((now.getDayOfYear() + 6 - (now.getDayOfWeek().getValue() - 1)) / 7);
      case 'V' -> two(now.get(IsoFields.WEEK_OF_WEEK_BASED_YEAR));
      case 'G' -> Integer.toString(now.get(IsoFields.WEEK_BASED_YEAR));
      case 'g' -> two(now.get(IsoFields.WEEK_BASED_YEAR) % 100);
      case 'c' -> format("%a %b %e %H:%M:%S %Y", now);
      case 'x', 'D' -> format("%m/%d/%y", now);
      case 'F' -> format("%Y-%m-%d", now);
      default -> time(letter, now);
    };
  }

  private static String time(char letter, ZonedDateTime now) {
    int hour = (now.getHour() + 11) % 12 + 1;
    return switch (letter) {
      case 'H' -> two(now.getHour());
      case 'k' -> "%2d".formatted(now.getHour());
      case 'I' -> two(hour);
      case 'l' -> "%2d".formatted(hour);
      case 'M' -> two(now.getMinute());
      case 'S' -> two(now.getSecond());
      case 'f' -> "%06d".formatted(now.get(ChronoField.MICRO_OF_SECOND));
      case 'p' -> now.getHour() < 12 ? "AM" : "PM";
      case 'P' -> now.getHour() < 12 ? "am" : "pm";
      case 'X', 'T' -> format("%H:%M:%S", now);
      case 'R' -> format("%H:%M", now);
      case 'r' -> format("%I:%M:%S %p", now);
      case 's' -> Long.toString(now.toEpochSecond());
      case 'z', 'Z' -> ""; // Python's datetime.now() knows no zone
      case 'n' -> "\n";
      case 't' -> "\t";
      case '%' -> "%";
      default -> throw new TemplateException("strftime_now does not know %" + letter);
    };
  }

  private static String two(int number) {
    return "%02d".formatted(number);
  }
}
