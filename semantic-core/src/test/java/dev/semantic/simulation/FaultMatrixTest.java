package dev.semantic.simulation;

import static dev.semantic.scripted.ScriptedHost.PATIENCE;
import static dev.semantic.scripted.ScriptedHost.said;
import static dev.semantic.scripted.ScriptedHost.tokens;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.generate.Generation;
import dev.semantic.generate.GenerationResult;
import dev.semantic.generate.RequestException;
import dev.semantic.memory.ByteSize;
import dev.semantic.model.ModelSpec;
import dev.semantic.registry.RegistryStatus.Activity;
import dev.semantic.registry.Simulated;
import dev.semantic.scripted.Fault;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.PortCall;
import dev.semantic.scripted.ScriptedHost;
import dev.semantic.swap.ModelSwapException;
import dev.semantic.swap.SwapListener;
import dev.semantic.swap.SwapPhase;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every call of every port fails during a swap, in every way: the first call, the second, …, until
 * a swap passes untouched; in virtual time. Afterwards something serves, or nothing does and says
 * so; no request is lost, no agent has forgotten anything.
 */
class FaultMatrixTest {
  private static final int MOST_CALLS = 200;

  static Stream<Arguments> everyCallAndFault() {
    List<Arguments> all = new ArrayList<>();
    for (PortCall call : PortCall.values()) {
      for (Fault fault : Fault.values()) {
        all.add(Arguments.of(call, fault));
      }
    }
    return all.stream();
  }

  @ParameterizedTest(name = "{0} fails once: {1}")
  @MethodSource("everyCallAndFault")
  void aFaultOnTheWayCostsNothing(PortCall call, Fault fault) throws Exception {
    failEachCall(ScriptedHost.ROOMY, call, fault, false);
    failEachCall(ScriptedHost.TIGHT, call, fault, false);
  }

  @ParameterizedTest(name = "{0} fails for good: {1}")
  @MethodSource("everyCallAndFault")
  void aFaultThatLastsLeavesARegistryThatCanBeUsed(PortCall call, Fault fault) throws Exception {
    failEachCall(ScriptedHost.ROOMY, call, fault, true);
    failEachCall(ScriptedHost.TIGHT, call, fault, true);
  }

  @Test
  void everyCallThatASwapMakesIsReached() throws Exception {
    List<PortCall> reached = new ArrayList<>();
    for (PortCall call : PortCall.values()) {
      if (swapWithFault(ScriptedHost.TIGHT, call, 1, Fault.DECLARED, false)) {
        reached.add(call);
      }
    }
    assertTrue(
        reached.containsAll(
            List.of(
                PortCall.PREPARE,
                PortCall.TEXT,
                PortCall.LOAD,
                PortCall.PREPARED_CLOSE,
                PortCall.RESTORE,
                PortCall.PLACES,
                PortCall.OCCUPY,
                PortCall.MODEL_CLOSE,
                PortCall.SNAPSHOT,
                PortCall.SEQUENCE_CLOSE,
                PortCall.ACTIVE_BYTES,
                PortCall.RELEASE_CACHED,
                PortCall.STORE_LOAD,
                PortCall.STORE_PARK,
                PortCall.STORE_PARKED,
                PortCall.JOURNAL_BEGUN,
                PortCall.JOURNAL_PHASE,
                PortCall.JOURNAL_ENDED)),
        () -> "reached only " + reached);
  }

  private static void failEachCall(ByteSize budget, PortCall call, Fault fault, boolean forGood)
      throws Exception {
    int nth = 1;
    while (swapWithFault(budget, call, nth, fault, forGood)) {
      assertTrue(nth++ < MOST_CALLS, "a swap that makes so many calls never ends");
    }
  }

  /** Returns whether the fault happened before the registry had settled. */
  private static boolean swapWithFault(
      ByteSize budget, PortCall call, int nth, Fault fault, boolean forGood) throws Exception {
    Arrival arrival = new Arrival();
    SimulatedTimeline time = new SimulatedTimeline(nth, 10);
    boolean fired;
    try (ScriptedHost host =
        new ScriptedHost(budget, builder -> Simulated.in(time, builder).listener(arrival))) {
      host.registry.load(Geometry.BETA.id());
      host.runtime.readsInPlace(call != PortCall.RESTORE);
      int[] eve = tokens(40, 3);
      int[] eveSaid = said(eve, host.ask("eve", eve));
      host.registry.swapWithRollback(Geometry.ALPHA.id());
      int[] ada = tokens(300, 1);
      int[] bob = tokens(30, 2);
      int[] adaSaid = said(ada, host.ask("ada", ada));
      int[] bobSaid = said(bob, host.ask("bob", bob));

      arrival.at(host);
      if (forGood) {
        host.script.failForGood(call, nth, fault);
      } else {
        host.script.fail(call, nth, fault);
      }
      Optional<ModelSpec> serving = swap(host);
      fired = host.script.fired();
      host.script.heal();
      Thread.interrupted();

      assertEquals(serving, host.registry.current(), "the exception and the registry disagree");
      assertTrue(forGood || serving.isPresent(), "one fault, and nothing serves");
      if (serving.isEmpty()) {
        assertEquals(Activity.FAILED, host.registry.status().activity());
        host.registry.load(Geometry.ALPHA.id());
      }
      host.ask("somebody", tokens(9, 9)); // the house checks what it says
      arrival.awaitAnswer();
      remembers(host, Geometry.ALPHA, "ada", adaSaid);
      remembers(host, Geometry.ALPHA, "bob", bobSaid);
      remembers(host, Geometry.BETA, "eve", eveSaid);
    }
    time.pause(Duration.ofMinutes(1));
    assertEquals(List.of(), time.living(), "threads that did not end");
    return fired;
  }

  private static Optional<ModelSpec> swap(ScriptedHost host) {
    try {
      host.registry.swapWithRollback(Geometry.BETA.id());
      return Optional.of(Geometry.BETA.spec());
    } catch (ModelSwapException failed) {
      assertTrue(failed.getCause() != null, "no cause");
      return failed.serving();
    } catch (Throwable raw) { // JUnit would end the run for an OutOfMemoryError
      throw new AssertionError("A fault came through as it was", raw);
    }
  }

  /** All of the conversation but its last token, which was said and never computed. */
  private static void remembers(ScriptedHost host, Geometry model, String agent, int[] said)
      throws ModelSwapException {
    if (!host.registry.current().orElseThrow().id().equals(model.id())) {
      host.registry.swapWithRollback(model.id());
    }
    GenerationResult result = host.ask(agent, said);
    assertEquals(model.tag(), result.model());
    assertEquals(said.length - 1, result.cachedTokens(), agent + " forgot");
  }

  /** Somebody who asks while the swap is under way. */
  private static final class Arrival implements SwapListener {
    private final AtomicReference<ScriptedHost> house = new AtomicReference<>();
    private final AtomicReference<Generation> asked = new AtomicReference<>();

    void at(ScriptedHost where) {
      house.set(where);
    }

    @Override
    public void phase(SwapPhase phase) {
      ScriptedHost where = house.get();
      if (phase == SwapPhase.PARKING && where != null) {
        house.set(null);
        asked.set(where.ask(ScriptedHost.request("zoe", 3, tokens(12, 4))));
      }
    }

    void awaitAnswer() {
      Generation generation = asked.get();
      if (generation != null) {
        try {
          generation.await(PATIENCE);
        } catch (RequestException told) {
          assertTrue(generation.isDone(), "a request that came during the swap was lost");
        }
      }
    }
  }
}
