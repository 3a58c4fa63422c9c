package dev.semantic.examples.cli;

import java.time.DateTimeException;
import java.time.Duration;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads {@code 90s}, {@code 45m}, {@code 12h}, {@code 30d}, {@code 8w}, or as ISO 8601 has it. */
final class TimeSpan implements ITypeConverter<Duration> {
  private static final Pattern SHORT = Pattern.compile("(\\d{1,9})([smhdw])");

  @Override
  public Duration convert(String text) {
    Matcher matcher = SHORT.matcher(text.toLowerCase(Locale.ROOT));
    try {
      return matcher.matches()
          ? span(Long.parseLong(matcher.group(1)), matcher.group(2))
          : notNegative(Duration.parse(text));
    } catch (DateTimeException e) {
      throw new TypeConversionException(
          "'%s' is no time; write for example 12h, 30d or 8w".formatted(text));
    }
  }

  private static Duration span(long count, String unit) {
    return switch (unit) {
      case "s" -> Duration.ofSeconds(count);
      case "m" -> Duration.ofMinutes(count);
      case "h" -> Duration.ofHours(count);
      case "d" -> Duration.ofDays(count);
      default -> Duration.ofDays(7 * count);
    };
  }

  private static Duration notNegative(Duration duration) {
    if (duration.isNegative()) {
      throw new DateTimeException("negative");
    }
    return duration;
  }
}
