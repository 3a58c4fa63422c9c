package dev.semantic.log;

import dev.semantic.timeline.ThreadFrame;
import dev.semantic.timeline.Timeline;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;
import org.slf4j.event.Level;

/**
 * The way to a host's logging, whose disk or pipe may hang: each line is written on a thread of its
 * own, which has its author's name, and waited for, but not for long. While one hangs, no others
 * are written; once it has come back, how many is.
 */
final class HostLogger {
  /** Far longer than a line takes; so long a lock may be held meanwhile. */
  static final Duration PATIENCE = Duration.ofMillis(200);

  private static final Logger OWN = LoggerFactory.getLogger(HostLogger.class);

  private final Timeline timeline;
  private final AtomicLong unwritten = new AtomicLong();
  private volatile @Nullable Line hanging;

  HostLogger(Timeline timeline) {
    this.timeline = timeline;
  }

  void write(Logger logger, Level level, String words, @Nullable Object[] arguments) {
    Line last = hanging;
    if (last != null && !last.over) {
      unwritten.incrementAndGet();
      return;
    }
    Line line = new Line(logger, level, words, arguments, unwritten.getAndSet(0));
    try {
      String author = Thread.currentThread().getName();
      if (!ThreadFrame.within(timeline, author, PATIENCE, line)) {
        hanging = line;
      }
    } catch (Throwable noThread) { // or no memory for one: here, then
      if (!line.begun) {
        line.run();
      }
    }
  }

  /** What is to be written, and what was not before it. */
  private static final class Line implements Runnable {
    private final Logger logger;
    private final Level level;
    private final String words;
    private final @Nullable Object[] arguments;
    private final long unwritten;
    private final @Nullable Map<String, String> context = MDC.getCopyOfContextMap();
    private volatile boolean begun;
    private volatile boolean over;

    private Line(
        Logger logger, Level level, String words, @Nullable Object[] arguments, long unwritten) {
      this.logger = logger;
      this.level = level;
      this.words = words;
      this.arguments = arguments;
      this.unwritten = unwritten;
    }

    @Override
    public void run() {
      begun = true;
      try {
        if (context != null) {
          MDC.setContextMap(context);
        }
        if (unwritten > 0) {
          OWN.warn("{} lines are lost: the logger did not come back", unwritten);
        }
        write();
      } catch (Throwable lost) { // there is nobody left to tell
      } finally {
        over = true;
      }
    }

    private void write() {
      switch (level) {
        case TRACE -> logger.trace(words, arguments);
        case DEBUG -> logger.debug(words, arguments);
        case INFO -> logger.info(words, arguments);
        case WARN -> logger.warn(words, arguments);
        case ERROR -> logger.error(words, arguments);
      }
    }
  }
}
