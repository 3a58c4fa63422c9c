package dev.semantic.simulation;

import static dev.semantic.scripted.ScriptedHost.said;
import static dev.semantic.scripted.ScriptedHost.tokens;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.generate.Generation;
import dev.semantic.generate.GenerationResult;
import dev.semantic.memory.ByteSize;
import dev.semantic.model.ModelSpec;
import dev.semantic.registry.Simulated;
import dev.semantic.registry.SwapOptions;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.PortCall;
import dev.semantic.scripted.ScriptedHost;
import dev.semantic.swap.ModelSwapException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Every call of every port hangs during a swap, for an hour of virtual time: the first call, the
 * second, …, until a swap passes untouched. The swap gives up long before; something serves; and
 * when the call comes back after all, it changes nothing and leaves nothing behind.
 */
class HangMatrixTest {
  private static final Duration HANG = Duration.ofHours(1);
  private static final int MOST_CALLS = 200;
  private static final SwapOptions IMPATIENT =
      SwapOptions.builder()
          .drainTimeout(Duration.ofSeconds(2))
          .phaseTimeout(Duration.ofSeconds(2))
          .build();

  @ParameterizedTest
  @EnumSource(PortCall.class)
  void aCallThatHangsCostsTheSwapAndNothingElse(PortCall call) throws Exception {
    for (ByteSize budget : new ByteSize[] {ScriptedHost.ROOMY, ScriptedHost.TIGHT}) {
      int nth = 1;
      while (swapWithHang(budget, call, nth)) {
        assertTrue(nth++ < MOST_CALLS, "a swap that makes so many calls never ends");
      }
    }
  }

  /** Returns whether there were so many calls. */
  private static boolean swapWithHang(ByteSize budget, PortCall call, int nth) throws Exception {
    SimulatedTimeline time = new SimulatedTimeline(nth, 10);
    ScriptedHost host = new ScriptedHost(budget, builder -> Simulated.in(time, builder));
    host.runtime.readsInPlace(call != PortCall.RESTORE);
    host.registry.load(Geometry.BETA.id());
    int[] eve = turn(host, time, "eve", tokens(40, 3));
    host.registry.swapWithRollback(Geometry.ALPHA.id());
    int[] ada = turn(host, time, "ada", tokens(300, 1));
    int[] bob = turn(host, time, "bob", tokens(30, 2));

    int[] count = {0};
    long before = time.nanoTime();
    host.script.onVisit(
        made -> {
          if (made == call && ++count[0] == nth) {
            time.pause(HANG);
          }
        });
    Optional<ModelSpec> serving = swap(host);
    boolean hung = count[0] >= nth;
    count[0] = MOST_CALLS; // no other call hangs from here on
    Duration took = Duration.ofNanos(time.nanoTime() - before);
    assertTrue(took.compareTo(HANG) < 0, () -> "the swap waited for " + call + ": " + took);
    // nobody who was to be woken slept until his patience was at its end
    assertTrue(hung || took.compareTo(Duration.ofSeconds(1)) < 0, () -> "untouched: " + took);
    assertTrue(serving.isPresent(), "one call hangs, and nothing serves");
    assertEquals(serving, host.registry.current());

    if (hung && (call == PortCall.RESTORE || call == PortCall.OCCUPY)) {
      time.pause(HANG); // it is a step of the model, and nobody else steps it meanwhile
    }
    turn(host, time, "somebody", tokens(9, 9)); // the house checks what it says
    time.pause(HANG.multipliedBy(2));
    remembers(host, time, Geometry.ALPHA, "ada", ada);
    remembers(host, time, Geometry.ALPHA, "bob", bob);
    remembers(host, time, Geometry.BETA, "eve", eve);
    host.closeAfterTrouble(true);
    time.pause(Duration.ofMinutes(1));
    assertEquals(List.of(), time.living());
    return hung;
  }

  private static Optional<ModelSpec> swap(ScriptedHost host) {
    try {
      host.registry.swapWithRollback(Geometry.BETA.id(), IMPATIENT);
      return Optional.of(Geometry.BETA.spec());
    } catch (ModelSwapException failed) {
      return failed.serving();
    }
  }

  private static int[] turn(ScriptedHost host, SimulatedTimeline time, String agent, int[] prompt) {
    return said(prompt, ask(host, time, agent, prompt));
  }

  private static GenerationResult ask(
      ScriptedHost host, SimulatedTimeline time, String agent, int[] prompt) {
    Generation generation = host.ask(ScriptedHost.request(agent, 5, prompt));
    while (!generation.isDone()) {
      time.pause(Duration.ofMillis(1));
    }
    return generation.await();
  }

  private static void remembers(
      ScriptedHost host, SimulatedTimeline time, Geometry model, String agent, int[] said)
      throws ModelSwapException {
    if (!host.registry.current().orElseThrow().id().equals(model.id())) {
      host.registry.swapWithRollback(model.id());
    }
    GenerationResult result = ask(host, time, agent, said);
    assertEquals(model.tag(), result.model());
    assertEquals(said.length - 1, result.cachedTokens(), agent + " forgot");
  }
}
