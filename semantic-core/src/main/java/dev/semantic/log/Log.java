package dev.semantic.log;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * A logger that cannot throw: whatever its backend does with the words, a full disk or a heap that
 * is exhausted included, the caller goes on. Its arguments are few, so that calling it allocates
 * nothing.
 */
public final class Log {
  private static final int MORE = 4;

  private final Logger logger;

  private Log(Logger logger) {
    this.logger = logger;
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
      Object[] arguments =
          switch (count) {
            case 0 -> new Object[] {};
            case 1 -> new Object[] {one};
            case 2 -> new Object[] {one, two};
            case 3 -> new Object[] {one, two, three};
            default -> (Object[]) one;
          };
      switch (level) {
        case TRACE -> logger.trace(words, arguments);
        case DEBUG -> logger.debug(words, arguments);
        case INFO -> logger.info(words, arguments);
        case WARN -> logger.warn(words, arguments);
        case ERROR -> logger.error(words, arguments);
      }
    } catch (Throwable lost) { // there is nobody left to tell
    }
  }
}
