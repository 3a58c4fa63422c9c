package dev.semantic.simulation;

import dev.semantic.model.ModelException;
import dev.semantic.scripted.PortCall;
import java.time.Duration;
import java.util.function.Consumer;

/** Port calls that take time, fail or hang, as the seed has it. */
final class PortTrouble implements Consumer<PortCall> {
  private final SimulatedTimeline time;
  private final int percent;
  private boolean active;
  private boolean hung;
  private boolean any;

  /**
   * None yet.
   *
   * @param percent of the calls fail
   */
  PortTrouble(SimulatedTimeline time, int percent) {
    this.time = time;
    this.percent = percent;
  }

  void begin() {
    active = true;
  }

  void end() {
    active = false;
  }

  /** Whether anything hung for longer than somebody would wait. */
  boolean hung() {
    return hung;
  }

  /** Whether anything failed at all. */
  boolean any() {
    return any;
  }

  @Override
  public void accept(PortCall call) {
    time.maybeSwitch();
    if (!active) {
      return;
    }
    if (time.random(4) == 0) {
      time.pause(Duration.ofNanos(time.random(5_000_000)));
    }
    if (percent > 0 && time.random(100) < percent) {
      fail(call);
    }
  }

  private void fail(PortCall call) {
    any = true;
    switch (time.random(5)) {
      case 0 ->
          throw new ModelException(ModelException.Kind.FAILED, "simulated: " + call + " failed");
      case 1 -> throw new IllegalStateException("simulated: " + call + " has a bug");
      case 2 -> throw new AssertionError("simulated: " + call + " found the impossible");
      case 3 -> throw new OutOfMemoryError("simulated: " + call);
      default -> {
        hung = true;
        time.pause(Duration.ofSeconds(5));
      }
    }
  }
}
