package dev.semantic.simulation;

import static dev.semantic.scripted.ScriptedHost.tokens;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.generate.Generation;
import dev.semantic.generate.GenerationRequest;
import dev.semantic.generate.Prompt;
import dev.semantic.kv.AgentId;
import dev.semantic.memory.ByteSize;
import dev.semantic.registry.Simulated;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.PortCall;
import dev.semantic.scripted.ScriptedHost;
import dev.semantic.store.MemoryCacheStore;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** Somebody is answered all the time, and who is silent is parked all the same; in virtual time. */
class ParkingWhileOthersAreServedTest {
  private static final Duration STEP = Duration.ofMillis(10);
  private static final int SILENT = 10;

  private final SimulatedTimeline time = new SimulatedTimeline(1, 10);
  private final MemoryCacheStore store = new MemoryCacheStore(ByteSize.ofMiB(4));
  private final ScriptedHost host =
      new ScriptedHost(
          ScriptedHost.ROOMY,
          builder ->
              Simulated.in(time, builder)
                  .caches(store)
                  .cacheBytes(ByteSize.parse("384KiB"))
                  .engine(ScriptedHost.engine(16, true)));

  private Generation ask(String agent, int answer) {
    return host.ask(
        GenerationRequest.of(new Prompt.Tokens(tokens(9, 1)))
            .agent(new AgentId(agent))
            .maxTokens(answer)
            .ignoreEos(true)
            .build());
  }

  @Test
  void ofItsTimeATenthAtMostIsTheirs() {
    host.registry.load(Geometry.ALPHA.id());
    host.script.onVisit(
        call -> {
          if (call == PortCall.FORWARD || call == PortCall.SNAPSHOT) {
            time.pause(STEP);
          }
        });
    Generation talks = ask("talker", 1000);
    for (int i = 0; i < SILENT; i++) {
      ask("agent " + i, 1);
    }
    time.pause(STEP.multipliedBy(SILENT * 5));
    int soon = host.script.count(PortCall.SNAPSHOT);
    assertTrue(soon > 1 && soon <= SILENT / 2 + 1, () -> soon + " copied");
    time.pause(STEP.multipliedBy(SILENT * 10));
    assertEquals(SILENT, store.parked(Geometry.ALPHA.tag()).size());
    assertTrue(!talks.isDone(), "nobody is served any more");
    talks.cancel();
    time.pause(STEP.multipliedBy(SILENT));
    host.close();
    time.pause(Duration.ofMinutes(1));
  }
}
