package dev.semantic.simulation;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.turbo.TurboFilter;
import ch.qos.logback.core.spi.FilterReply;
import dev.semantic.log.SimulatedLogs;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;
import org.slf4j.Marker;

/** A logging backend that throws at threads of a simulation, or hangs, whatever the level. */
final class UnrulyLogs extends TurboFilter implements AutoCloseable {
  private final SimulatedTimeline time;
  private final PortTrouble trouble;
  private final int percent;
  private @Nullable SimulatedLogs simulated;

  private UnrulyLogs(SimulatedTimeline time, PortTrouble trouble, int percent) {
    this.time = time;
    this.trouble = trouble;
    this.percent = percent;
  }

  /** Until it is closed, so many of a hundred calls go wrong. */
  static UnrulyLogs install(SimulatedTimeline time, PortTrouble trouble, int percent) {
    UnrulyLogs logs = new UnrulyLogs(time, trouble, percent);
    if (percent > 0) {
      logs.simulated = new SimulatedLogs(time);
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
    if (!time.isRunning(Thread.currentThread())) {
      return FilterReply.NEUTRAL;
    }
    if (format == null) {
      return FilterReply.ACCEPT; // whatever the level
    }
    if (time.random(100) < percent) {
      trouble.shout(logger.getName());
    }
    return FilterReply.DENY; // nobody reads it
  }

  @Override
  public void close() {
    backend().getTurboFilterList().remove(this);
    if (simulated != null) {
      simulated.close();
    }
  }
}
