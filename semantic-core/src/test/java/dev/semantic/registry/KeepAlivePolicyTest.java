package dev.semantic.registry;

import static dev.semantic.scripted.ScriptedHost.PATIENCE;
import static dev.semantic.scripted.ScriptedHost.assertSays;
import static dev.semantic.scripted.ScriptedHost.said;
import static dev.semantic.scripted.ScriptedHost.tokens;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.generate.GenerationResult;
import dev.semantic.generate.RequestException;
import dev.semantic.model.ModelId;
import dev.semantic.model.ModelSpec;
import dev.semantic.scripted.Fault;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.PortCall;
import dev.semantic.scripted.ScriptedHost;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Models that come at the start, leave when idle, and come back when they are asked. */
class KeepAlivePolicyTest {
  private static final ModelId ALPHA = Geometry.ALPHA.id();
  private static final Duration SOON = Duration.ofMillis(30);

  private static ScriptedHost house(KeepAlivePolicy keepAlive) {
    return new ScriptedHost(ScriptedHost.ROOMY, builder -> builder.keepAlive(keepAlive));
  }

  @Test
  void anIdleModelLeavesAndComesBackForTheNextRequest() {
    try (ScriptedHost host = house(KeepAlivePolicy.idleFor(SOON).preloading(ALPHA))) {
      int[] ada = tokens(30, 1);
      int[] adaSaid = said(ada, host.ask("ada", ada));
      await()
          .atMost(PATIENCE)
          .until(() -> host.registry.current().isEmpty() && host.runtime.openModels() == 0);
      GenerationResult again = host.ask("ada", adaSaid);
      assertEquals(Geometry.ALPHA.tag(), again.model());
      assertEquals(adaSaid.length - 1, again.cachedTokens());
    }
  }

  @Test
  void aPinnedModelStays() throws Exception {
    KeepAlivePolicy pinned = KeepAlivePolicy.idleFor(SOON).preloading(ALPHA).pinning(ALPHA);
    try (ScriptedHost host = house(pinned)) {
      Thread.sleep(SOON.multipliedBy(4)); // nothing to wait for: nothing is to happen
      assertEquals(Optional.of(ALPHA), host.registry.current().map(ModelSpec::id));
    }
  }

  @Test
  void theFirstThatCanBeIsPreloaded() {
    var keepAlive = KeepAlivePolicy.UNLIMITED.preloading(new ModelId("nowhere"), ALPHA);
    try (ScriptedHost host = house(keepAlive)) {
      assertEquals(Geometry.ALPHA.tag(), host.ask("ada", tokens(9, 1)).model());
    }
  }

  @Test
  void aFailureIsRememberedForAWhileAndNeverLatches() {
    var keepAlive =
        new KeepAlivePolicy(Optional.of(SOON), Set.of(), List.of(ALPHA), Duration.ofMillis(200));
    try (ScriptedHost host = house(keepAlive)) {
      await()
          .atMost(PATIENCE)
          .until(() -> host.registry.current().isEmpty() && host.runtime.openModels() == 0);
      host.script.failForGood(PortCall.LOAD, 1, Fault.DECLARED);
      var first = assertThrows(RequestException.class, () -> host.ask("ada", tokens(9, 1)));
      assertSays("alpha cannot be brought back", first);
      var second = assertThrows(RequestException.class, () -> host.ask("ada", tokens(9, 1)));
      assertTrue(second.retryAfter().isPresent());
      assertEquals(1, host.script.count(PortCall.LOAD), "it was tried for each request");
      host.script.heal();
      await().atMost(PATIENCE).until(() -> answers(host));
    }
  }

  private static boolean answers(ScriptedHost host) {
    try {
      return host.ask("ada", tokens(9, 1)).model().equals(Geometry.ALPHA.tag());
    } catch (RequestException notYet) {
      return false;
    }
  }
}
