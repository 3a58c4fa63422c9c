package dev.semantic.log;

import dev.semantic.timeline.Timeline;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * A logger that can neither throw nor hang: whatever its backend does with the words, a full disk,
 * a pipe that nobody reads or a heap that is exhausted included, the caller goes on. Its arguments
 * are few, so that calling it allocates nothing where nobody wants to read them.
 */
public final class Log {
  private static final int MORE = 4;

  /** Of the whole process; another one in a simulation. */
  private static volatile HostLogger host = new HostLogger(Timeline.SYSTEM);

  private final Logger logger;

  private Log(Logger logger) {
    this.logger = logger;
  }

  /** Lets a simulation own the threads and waits of logging, until it is told otherwise. */
  static void in(Timeline timeline) {
    host = new HostLogger(timeline);
  }

  /** The one that is named by a class. */
  public static Log of(Class<?> owner) {
    return new Log(LoggerFactory.getLogger(owner));
  }

  /** Says nothing but what a throwable says of itself, or its class where that fails, too. */
  public static String reason(Throwable thrown) {
    try {
      String message = thrown.getMessage();
      return message == null ? thrown.getClass().getSimpleName() : message;
    } catch (Throwable t) { // a host's own exception may throw here
      return thrown.getClass().getSimpleName();
    }
  }

  public void trace(String words, @Nullable Object one) {
    write(Level.TRACE, words, 1, one, null, null);
  }

  public void debug(String words) {
    write(Level.DEBUG, words, 0, null, null, null);
  }

  public void debug(String words, @Nullable Object one) {
    write(Level.DEBUG, words, 1, one, null, null);
  }

  public void debug(String words, @Nullable Object one, @Nullable Object two) {
    write(Level.DEBUG, words, 2, one, two, null);
  }

  public void info(String words) {
    write(Level.INFO, words, 0, null, null, null);
  }

  public void info(String words, @Nullable Object one) {
    write(Level.INFO, words, 1, one, null, null);
  }

  public void info(String words, @Nullable Object one, @Nullable Object two) {
    write(Level.INFO, words, 2, one, two, null);
  }

  public void info(
      String words, @Nullable Object one, @Nullable Object two, @Nullable Object three) {
    write(Level.INFO, words, 3, one, two, three);
  }

  /** What has more parts: an array is made for it before it is called. */
  public void info(String words, @Nullable Object... parts) {
    write(Level.INFO, words, MORE, parts, null, null);
  }

  public void warn(String words) {
    write(Level.WARN, words, 0, null, null, null);
  }

  public void warn(String words, @Nullable Object one) {
    write(Level.WARN, words, 1, one, null, null);
  }

  public void warn(String words, @Nullable Object one, @Nullable Object two) {
    write(Level.WARN, words, 2, one, two, null);
  }

  public void warn(
      String words, @Nullable Object one, @Nullable Object two, @Nullable Object three) {
    write(Level.WARN, words, 3, one, two, three);
  }

  /** What has more parts: an array is made for it before it is called. */
  public void warn(String words, @Nullable Object... parts) {
    write(Level.WARN, words, MORE, parts, null, null);
  }

  public void error(String words) {
    write(Level.ERROR, words, 0, null, null, null);
  }

  public void error(String words, @Nullable Object one) {
    write(Level.ERROR, words, 1, one, null, null);
  }

  public void error(String words, @Nullable Object one, @Nullable Object two) {
    write(Level.ERROR, words, 2, one, two, null);
  }

  private void write(
      Level level,
      String words,
      int count,
      @Nullable Object one,
      @Nullable Object two,
      @Nullable Object three) {
    try {
      if (logger.isEnabledForLevel(level)) {
        host.write(logger, level, words, arguments(count, one, two, three));
      }
    } catch (Throwable lost) { // there is nobody left to tell
    }
  }

  private static @Nullable Object[] arguments(
      int count, @Nullable Object one, @Nullable Object two, @Nullable Object three) {
    return switch (count) {
      case 0 -> new Object[] {};
      case 1 -> new Object[] {one};
      case 2 -> new Object[] {one, two};
      case 3 -> new Object[] {one, two, three};
      default -> Objects.requireNonNull((Object[]) one);
    };
  }
}
