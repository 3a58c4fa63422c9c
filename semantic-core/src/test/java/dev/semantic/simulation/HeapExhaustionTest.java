package dev.semantic.simulation;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.simulation.AllocationPoints.When;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Memory runs out at one place after the other where a thread of the core asks for some: whoever
 * waited is told, and once there is memory again everything works, and nothing is left behind. Here
 * at some places of each thread; {@code mvn test -Pheap -pl .,semantic-core}: at all of them.
 */
class HeapExhaustionTest {
  private static final int PLACES = Integer.getInteger("semantic.heap.places", 6);

  @ParameterizedTest(name = "{0}, {1}, {2} more")
  @CsvSource({
    "MORNING, semantic-engine, 0",
    "MORNING, semantic-engine, 5",
    "MORNING, semantic-engine, 1000000",
    "MORNING, semantic-watchdog, 0",
    "MORNING, semantic-tokenize, 0",
    "MORNING, semantic-restore, 0",
    "MORNING, semantic-park, 0",
    "MORNING, semantic-swap, 0",
    "MORNING, semantic-swap, 5",
    "MORNING, semantic-keeper, 0",
    "MORNING, semantic-prepare, 0",
    "MORNING, host, 0",
    "MORNING, '', 30",
    "NIGHT, '', 0",
    "NIGHT, '', 30",
  })
  void aThreadWithoutMemoryEndsNobodysWait(When when, String thread, int more) throws Exception {
    String own = Thread.currentThread().getName();
    Thread.currentThread().setName("host");
    try {
      Class<?> day = new RewrittenCore().loadClass(ExhaustedDay.class.getName());
      live(day, when, thread, Integer.MAX_VALUE, 0);
      int all = AllocationPoints.passed();
      assertTrue(all > 0, "this thread never asks for memory");
      for (int nth = 1; nth <= all; nth += Math.max(1, all / PLACES)) {
        live(day, when, thread, nth, more);
        assertTrue(nth > all / 2 || AllocationPoints.fired(), "memory did not run out");
      }
    } finally {
      Thread.currentThread().setName(own);
    }
  }

  private static void live(Class<?> day, When when, String thread, int nth, int more) {
    AllocationPoints.plan(when, thread, nth, more);
    try {
      ((Runnable) day.getDeclaredConstructor().newInstance()).run();
    } catch (Throwable t) { // JUnit would end the run for an OutOfMemoryError
      throw new AssertionError(
          "memory ran out at place %d of '%s': %s".formatted(nth, thread, AllocationPoints.where()),
          t);
    }
  }
}
