package dev.semantic.log;

import dev.semantic.timeline.Timeline;

/** Lets tests of other packages put logging into another time. */
public final class SimulatedLogs implements AutoCloseable {
  @SuppressWarnings("exports") // tests are nobody's API
  public SimulatedLogs(Timeline timeline) {
    Log.in(timeline);
  }

  @Override
  public void close() {
    Log.in(Timeline.SYSTEM);
  }
}
