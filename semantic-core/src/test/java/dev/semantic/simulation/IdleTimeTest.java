package dev.semantic.simulation;

import static dev.semantic.scripted.ScriptedHost.request;
import static dev.semantic.scripted.ScriptedHost.tokens;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.generate.Generation;
import dev.semantic.model.ModelSpec;
import dev.semantic.registry.KeepAlivePolicy;
import dev.semantic.registry.Simulated;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.PortCall;
import dev.semantic.scripted.ScriptedHost;
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
  private final ScriptedHost host =
      new ScriptedHost(
          ScriptedHost.ROOMY,
          builder -> Simulated.in(time, builder).keepAlive(KeepAlivePolicy.idleFor(IDLE)));

  @AfterEach
  void close() {
    host.close();
    time.pause(Duration.ofMinutes(1));
    assertEquals(List.of(), time.living());
  }

  private Duration untilItLeaves() {
    long begin = time.nanoTime();
    while (host.registry.current().isPresent()) {
      time.pause(Duration.ofMillis(5));
      assertTrue(time.nanoTime() - begin < Duration.ofMinutes(1).toNanos(), "it never leaves");
    }
    return Duration.ofNanos(time.nanoTime() - begin);
  }

  @Test
  void aModelThatIsLeavingStaysWhenSomebodyAsks() {
    host.registry.load(Geometry.ALPHA.id());
    answered();
    Duration slow = Duration.ofSeconds(4);
    host.script.onVisit(
        call -> {
          if (call == PortCall.STORE_PARK) {
            time.pause(slow);
          }
        });
    time.pause(IDLE.plusSeconds(1));
    assertEquals(SwapPhase.PARKING, host.registry.status().phase().orElseThrow());
    answered();
    assertEquals(
        SwapOutcome.CANCELLED,
        host.registry.history().getLast().outcome(),
        "it left and came back");
  }

  /** A store that does not come back costs the next request seconds, not the time of a phase. */
  @Test
  void aModelThatCannotBeParkedAnswersWhoeverAsksAndTriesLessAndLessOften() {
    host.registry.load(Geometry.ALPHA.id());
    answered();
    host.script.onVisit(
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
    int tries = host.registry.history().size();
    assertTrue(tries < 30, () -> tries + " tries, each with a thread that does not come back");
    host.script.onVisit(call -> {});
    time.pause(Duration.ofDays(1));
    answered();
    time.pause(IDLE.multipliedBy(100));
    assertTrue(host.registry.current().isEmpty(), "it never leaves again");
  }

  private void answered() {
    Generation answer = host.ask(request("ada", 3, tokens(9, 1)));
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
    host.registry.load(Geometry.ALPHA.id());
    host.script.onVisit(
        call -> {
          if (call == PortCall.FORWARD) {
            time.pause(Duration.ofMillis(100));
          }
        });
    Generation slow = host.ask(request("ada", 15, tokens(9, 1)));
    while (!slow.isDone()) {
      time.pause(Duration.ofMillis(5));
    }
    assertAbout(IDLE, untilItLeaves());
  }

  @Test
  void itCountsFromTheSwapForAModelThatWasSwappedIn() throws Exception {
    host.registry.load(Geometry.ALPHA.id());
    time.pause(IDLE.minusMillis(200));
    host.registry.swapWithRollback(Geometry.BETA.id());
    assertAbout(IDLE, untilItLeaves());
  }

  /** The one that was idle is not the one that serves when the keeper's turn comes. */
  @Test
  void aSwapThatTakesLongerThanTheIdleTimeIsNotUndone() throws Exception {
    host.registry.load(Geometry.ALPHA.id());
    host.script.onVisit(
        call -> {
          if (call == PortCall.LOAD) {
            time.pause(IDLE.multipliedBy(3));
          }
        });
    host.registry.swapWithRollback(Geometry.BETA.id());
    assertEquals(Optional.of(Geometry.BETA.id()), host.registry.current().map(ModelSpec::id));
    assertAbout(IDLE, untilItLeaves());
  }
}
