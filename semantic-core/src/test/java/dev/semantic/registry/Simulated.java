package dev.semantic.registry;

import dev.semantic.timeline.Timeline;

/** Lets tests of other packages put a registry into another time. */
public final class Simulated {
  private Simulated() {}

  @SuppressWarnings("exports") // tests are nobody's API
  public static RegistryBuilder in(Timeline timeline, RegistryBuilder builder) {
    return builder.timeline(timeline);
  }
}
