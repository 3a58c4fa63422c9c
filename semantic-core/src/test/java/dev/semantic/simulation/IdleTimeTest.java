package dev.semantic.simulation;

import static dev.semantic.scripted.ScriptedHouse.request;
import static dev.semantic.scripted.ScriptedHouse.tokens;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.generate.Generation;
import dev.semantic.model.ModelSpec;
import dev.semantic.registry.Residency;
import dev.semantic.registry.Simulated;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.PortCall;
import dev.semantic.scripted.ScriptedHouse;
import dev.semantic.swap.SwapOutcome;
import dev.semantic.swap.SwapPhase;
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

  @Test
  void aModelThatIsLeavingStaysWhenSomebodyAsks() {
    house.registry.load(Geometry.ALPHA.id());
    answered();
    Duration slow = Duration.ofSeconds(4);
    house.script.onVisit(
        call -> {
          if (call == PortCall.STORE_PARK) {
            time.pause(slow);
          }
        });
    time.pause(IDLE.plusSeconds(1));
    assertEquals(SwapPhase.PARKING, house.registry.status().phase().orElseThrow());
    answered();
    assertEquals(
        SwapOutcome.CANCELLED,
        house.registry.history().getLast().outcome(),
        "it left and came back");
  }

  /** A store that does not come back costs the next request seconds, not the time of a phase. */
  @Test
  void aModelThatCannotBeParkedAnswersWhoeverAsksAndTriesLessAndLessOften() {
    house.registry.load(Geometry.ALPHA.id());
    answered();
    house.script.onVisit(
        call -> {
          if (call == PortCall.STORE_PARK) {
            time.pause(Duration.ofDays(1));
          }
        });
    time.pause(IDLE.plusSeconds(1));
    long before = time.nanoTime();
    answered();
    Duration took = Duration.ofNanos(time.nanoTime() - before);
    assertTrue(took.compareTo(Duration.ofSeconds(6)) < 0, took::toString);
    time.pause(Duration.ofHours(5)); // each try takes ten minutes
    int tries = house.registry.history().size();
    assertTrue(tries < 30, () -> tries + " tries, each with a thread that does not come back");
    house.script.onVisit(call -> {});
    time.pause(Duration.ofDays(1));
    answered();
    time.pause(IDLE.multipliedBy(100));
    assertTrue(house.registry.current().isEmpty(), "it never leaves again");
  }

  private void answered() {
    Generation answer = house.ask(request("ada", 3, tokens(9, 1)));
    long begin = time.nanoTime();
    while (!answer.isDone()) {
      time.pause(Duration.ofMillis(5));
      assertTrue(time.nanoTime() - begin < Duration.ofMinutes(1).toNanos(), "nobody answers");
    }
    answer.await();
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
