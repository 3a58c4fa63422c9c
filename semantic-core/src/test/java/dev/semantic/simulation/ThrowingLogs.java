package dev.semantic.simulation;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.turbo.TurboFilter;
import ch.qos.logback.core.spi.FilterReply;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;
import org.slf4j.Marker;

/** A logging backend that throws at threads of a simulation, whatever the level. */
final class ThrowingLogs extends TurboFilter implements AutoCloseable {
  private final SimulatedTimeline time;
  private final PortTrouble trouble;
  private final int percent;

  private ThrowingLogs(SimulatedTimeline time, PortTrouble trouble, int percent) {
    this.time = time;
    this.trouble = trouble;
    this.percent = percent;
  }

  /** Until it is closed, so many of a hundred calls throw. */
  static ThrowingLogs install(SimulatedTimeline time, PortTrouble trouble, int percent) {
    ThrowingLogs logs = new ThrowingLogs(time, trouble, percent);
    if (percent > 0) {
      logs.start();
      backend().addTurboFilter(logs);
    }
    return logs;
  }

  private static LoggerContext backend() {
    return (LoggerContext) LoggerFactory.getILoggerFactory();
  }

  @Override
  public FilterReply decide(
      @Nullable Marker marker,
      Logger logger,
      Level level,
      @Nullable String format,
      Object @Nullable [] arguments,
      @Nullable Throwable thrown) {
    if (format != null && time.isRunning(Thread.currentThread()) && time.random(100) < percent) {
      trouble.shout(logger.getName());
    }
    return FilterReply.NEUTRAL;
  }

  @Override
  public void close() {
    backend().getTurboFilterList().remove(this);
  }
}
