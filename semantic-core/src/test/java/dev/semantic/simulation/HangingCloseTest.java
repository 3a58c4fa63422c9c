package dev.semantic.simulation;

import static dev.semantic.scripted.ScriptedHost.request;
import static dev.semantic.scripted.ScriptedHost.tokens;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.generate.Generation;
import dev.semantic.memory.ByteSize;
import dev.semantic.registry.Simulated;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.PortCall;
import dev.semantic.scripted.ScriptedHost;
import dev.semantic.timeline.ThreadHandle;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Every call of every port hangs during a swap, whose steps may take minutes, and then the registry
 * is closed: the first call, the second, …, until a swap passes untouched. The swap and the close
 * come back within seconds of virtual time, and what comes back later leaves nothing behind.
 */
class HangingCloseTest {
  private static final Duration HANG = Duration.ofHours(1);
  private static final Duration LONGEST = Duration.ofSeconds(45);
  private static final int MOST_CALLS = 200;

  @ParameterizedTest
  @EnumSource(PortCall.class)
  void aCloseWaitsForNoSwapThatHangs(PortCall call) {
    for (ByteSize budget : new ByteSize[] {ScriptedHost.ROOMY, ScriptedHost.TIGHT}) {
      int nth = 1;
      while (closeWhileItHangs(budget, call, nth)) {
        assertTrue(nth++ < MOST_CALLS, "a swap that makes so many calls never ends");
      }
    }
  }

  /** Returns whether there were so many calls. */
  private static boolean closeWhileItHangs(ByteSize budget, PortCall call, int nth) {
    SimulatedTimeline time = new SimulatedTimeline(nth, 10);
    ScriptedHost host = new ScriptedHost(budget, builder -> Simulated.in(time, builder));
    host.runtime.readsInPlace(call != PortCall.RESTORE);
    host.registry.load(Geometry.BETA.id());
    turn(host, time, "eve", tokens(40, 3));
    swap(host);
    turn(host, time, "ada", tokens(300, 1));

    int[] count = {0};
    host.script.onVisit(
        made -> {
          if (made == call && ++count[0] == nth) {
            time.pause(HANG);
          }
        });
    List<Throwable> ends = new ArrayList<>();
    ThreadHandle swapping = time.start("swapping", () -> ends.addAll(swap(host)));
    time.pause(Duration.ofSeconds(1));
    boolean hung = count[0] >= nth;
    count[0] = MOST_CALLS; // no other call hangs from here on
    long before = time.nanoTime();
    host.registry.close();
    Duration took = Duration.ofNanos(time.nanoTime() - before);
    assertTrue(took.compareTo(LONGEST) < 0, () -> call + " " + nth + ", " + took + ": " + ends);
    time.pause(Duration.ofSeconds(1));
    assertTrue(!swapping.isAlive(), () -> "nobody told whoever swaps: " + call + " " + nth);

    time.pause(HANG.multipliedBy(2));
    assertEquals(List.of(), time.living());
    if (hung) {
      host.closeAbandoned();
    } else {
      host.close();
    }
    return hung;
  }

  private static List<Throwable> swap(ScriptedHost host) {
    boolean alpha = host.registry.current().orElseThrow().id().equals(Geometry.ALPHA.id());
    try {
      host.registry.swapWithRollback((alpha ? Geometry.BETA : Geometry.ALPHA).id());
      return List.of();
    } catch (Exception called) { // off
      return List.of(called);
    }
  }

  private static void turn(ScriptedHost host, SimulatedTimeline time, String agent, int[] prompt) {
    Generation generation = host.ask(request(agent, 5, prompt));
    while (!generation.isDone()) {
      time.pause(Duration.ofMillis(1));
    }
    generation.await();
  }
}
