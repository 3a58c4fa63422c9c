package dev.semantic.simulation;

import static dev.semantic.scripted.ScriptedHost.tokens;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.generate.EngineMode;
import dev.semantic.generate.Generation;
import dev.semantic.generate.GenerationRequest;
import dev.semantic.generate.Prompt;
import dev.semantic.generate.RequestException;
import dev.semantic.kv.AgentId;
import dev.semantic.registry.KeepAlivePolicy;
import dev.semantic.registry.ModelRegistry;
import dev.semantic.registry.Simulated;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.ScriptedHost;
import dev.semantic.simulation.AllocationPoints.When;
import dev.semantic.swap.ModelSwapException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What a host does in a day, in virtual time, while memory runs out at one place; in the evening
 * there is some again, and everything works. Loaded with the rewritten core; the same each time.
 */
public final class ExhaustedDay implements Runnable {
  private static final Duration IDLE = Duration.ofSeconds(20);
  private static final Duration PATIENCE = Duration.ofHours(1);

  private final SimulatedTimeline time = new SimulatedTimeline(7, 10);
  private final ScriptedHost host =
      new ScriptedHost(
          ScriptedHost.TIGHT,
          builder ->
              Simulated.in(time, builder)
                  .engine(ScriptedHost.engine(4, true))
                  .keepAlive(KeepAlivePolicy.idleFor(IDLE)));
  private final ModelRegistry registry = host.registry;
  private final List<Generation> asked = new ArrayList<>();

  @Override
  public void run() {
    AllocationPoints.enter(When.MORNING);
    morning();
    AllocationPoints.enter(When.EVENING);
    evening();
    AllocationPoints.enter(When.NIGHT);
    tolerate(registry::close);
    AllocationPoints.enter(When.EVENING);
    atTheEnd();
  }

  /** Whatever fails here must say so, and end. */
  private void morning() {
    tolerate(() -> registry.load(Geometry.ALPHA.id()));
    askAll();
    tolerate(() -> registry.swapWithRollback(Geometry.BETA.id()));
    askAll();
    tolerate(() -> registry.prepare(Geometry.ALPHA.id()));
    tolerate(() -> registry.swapWithRollback(Geometry.ALPHA.id()));
    askAll();
    time.pause(IDLE.multipliedBy(2)); // it leaves, and comes back
    askAll();
    tolerate(registry::unload);
    time.pause(PATIENCE); // who tries again for want of memory gives up by then
  }

  private void askAll() {
    asked.clear();
    for (int i = 0; i < 3; i++) {
      int number = i;
      tolerate(() -> asked.add(host.ask(request(number))));
    }
    asked.forEach(this::mustEnd);
  }

  /** One in words, two with the same beginning. */
  private static GenerationRequest request(int number) {
    Prompt prompt = number == 0 ? new Prompt.Text("what I say") : new Prompt.Tokens(tokens(300, 1));
    return GenerationRequest.of(prompt)
        .agent(new AgentId("agent-" + number))
        .maxTokens(4)
        .timeLimit(PATIENCE.dividedBy(2))
        .build();
  }

  private void mustEnd(Generation generation) {
    long end = time.nanoTime() + PATIENCE.toNanos();
    while (!generation.isDone()) {
      assertTrue(time.nanoTime() < end, "a request came to no end");
      time.pause(Duration.ofMillis(10));
    }
  }

  /** There is memory again, and nobody has to do anything about what there was not. */
  private void evening() {
    time.pause(Duration.ofMinutes(1));
    assertNull(time.uncaught(), () -> "a thread of the core died: " + time.uncaught());
    if (registry.status().engine() != EngineMode.SERVING) {
      registry.load(Geometry.ALPHA.id());
    }
    works(registry.current().orElseThrow().id().name());
    for (Geometry next : List.of(Geometry.BETA, Geometry.ALPHA)) {
      try {
        registry.swapWithRollback(next.id());
      } catch (ModelSwapException e) {
        throw new AssertionError("no swap works any more", e);
      }
      works(next.id().name());
    }
  }

  private void works(String model) {
    assertEquals(Optional.of(model), registry.current().map(spec -> spec.id().name()));
    assertEquals(EngineMode.SERVING, registry.status().engine());
    for (int i = 0; i < 3; i++) {
      Generation generation = host.ask(request(i));
      mustEnd(generation);
      assertEquals(model, generation.await().model().model());
    }
  }

  private void atTheEnd() {
    registry.close();
    time.pause(PATIENCE);
    host.close(); // which looks for what is left
    assertEquals(List.of(), time.living(), "threads that did not end");
    assertNull(time.uncaught(), () -> "a thread of the core died: " + time.uncaught());
  }

  /** What a host calls. */
  private interface Call {
    void make() throws ModelSwapException;
  }

  private static void tolerate(Call call) {
    try {
      call.make();
    } catch (ModelSwapException | RequestException | OutOfMemoryError told) {
      assertTrue(!told.toString().isEmpty());
    } catch (RuntimeException told) {
      assertTrue(AllocationPoints.fired(), () -> "for no reason: " + told);
    }
  }
}
