package dev.semantic.simulation;

import static dev.semantic.scripted.ScriptedHouse.request;
import static dev.semantic.scripted.ScriptedHouse.tokens;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.engine.Generation;
import dev.semantic.model.ModelSpec;
import dev.semantic.registry.Residency;
import dev.semantic.registry.Simulated;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.PortCall;
import dev.semantic.scripted.ScriptedHouse;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** When a model that nobody asks anything leaves; in virtual time. */
class IdleTimeTest {
  private static final Duration IDLE = Duration.ofSeconds(2);

  private final SimulatedTimeline time = new SimulatedTimeline(1, 10);
  private final ScriptedHouse house =
      new ScriptedHouse(
          ScriptedHouse.ROOMY,
          builder -> Simulated.in(time, builder).residency(Residency.idleFor(IDLE)));

  @AfterEach
  void close() {
    house.close();
    time.pause(Duration.ofMinutes(1));
    assertEquals(List.of(), time.living());
  }

  private Duration untilItLeaves() {
    long begin = time.nanoTime();
    while (house.registry.current().isPresent()) {
      time.pause(Duration.ofMillis(5));
      assertTrue(time.nanoTime() - begin < Duration.ofMinutes(1).toNanos(), "it never leaves");
    }
    return Duration.ofNanos(time.nanoTime() - begin);
  }

  private static void assertAbout(Duration right, Duration measured) {
    long apart = right.minus(measured).abs().toMillis();
    assertTrue(apart < 100, () -> measured + ", not " + right);
  }

  @Test
  void itCountsFromTheLastAnswerAndNotFromTheRequest() {
    house.registry.load(Geometry.ALPHA.id());
    house.script.onVisit(
        call -> {
          if (call == PortCall.FORWARD) {
            time.pause(Duration.ofMillis(100));
          }
        });
    Generation slow = house.ask(request("ada", 15, tokens(9, 1)));
    while (!slow.isDone()) {
      time.pause(Duration.ofMillis(5));
    }
    assertAbout(IDLE, untilItLeaves());
  }

  @Test
  void itCountsFromTheSwapForAModelThatWasSwappedIn() throws Exception {
    house.registry.load(Geometry.ALPHA.id());
    time.pause(IDLE.minusMillis(200));
    house.registry.swapWithRollback(Geometry.BETA.id());
    assertAbout(IDLE, untilItLeaves());
  }

  /** The one that was idle is not the one that serves when the keeper's turn comes. */
  @Test
  void aSwapThatTakesLongerThanTheIdleTimeIsNotUndone() throws Exception {
    house.registry.load(Geometry.ALPHA.id());
    house.script.onVisit(
        call -> {
          if (call == PortCall.LOAD) {
            time.pause(IDLE.multipliedBy(3));
          }
        });
    house.registry.swapWithRollback(Geometry.BETA.id());
    assertEquals(Optional.of(Geometry.BETA.id()), house.registry.current().map(ModelSpec::id));
    assertAbout(IDLE, untilItLeaves());
  }
}
