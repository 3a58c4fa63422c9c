package dev.semantic.engine;

import static dev.semantic.scripted.ScriptedHost.PATIENCE;
import static dev.semantic.scripted.ScriptedHost.request;
import static dev.semantic.scripted.ScriptedHost.said;
import static dev.semantic.scripted.ScriptedHost.tokens;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.generate.DrainPolicy;
import dev.semantic.generate.Generation;
import dev.semantic.generate.GenerationResult;
import dev.semantic.generate.RequestException;
import dev.semantic.registry.SwapOptions;
import dev.semantic.scripted.Fault;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.PortCall;
import dev.semantic.scripted.Script;
import dev.semantic.scripted.ScriptedHost;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Parked caches that are read straight into the model's memory, or as copies. */
class KvLoaderTest {
  @RegisterExtension private final ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA);
  private int[] ada;
  private int free;
  private long active;

  /** Ada is parked, and in nobody's memory; nobody brings her back. */
  @BeforeEach
  void park() throws Exception {
    int[] prompt = tokens(300, 1);
    ada = said(prompt, host.ask("ada", prompt));
    host.registry.swapWithRollback(Geometry.BETA.id());
    host.script.failForGood(PortCall.STORE_PARKED, 1, Fault.UNCHECKED);
    host.registry.swapWithRollback(Geometry.ALPHA.id());
    host.script.heal();
    free = host.registry.pool().availableBlocks();
    active = host.runtime.memory().activeBytes();
  }

  private void awaitNothingHeld() throws InterruptedException {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (host.registry.pool().availableBlocks() != free
        || host.runtime.memory().activeBytes() != active) {
      assertTrue(System.nanoTime() < end, "what was read for nobody is still held");
      Thread.sleep(1);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void howeverItIsReadTheAgentGoesOn(boolean inPlace) {
    host.runtime.readsInPlace(inPlace);
    long computed = host.runtime.computedTokens();
    GenerationResult answer = host.ask("ada", ada);
    assertEquals(ada.length - 1, answer.cachedTokens());
    assertEquals(answer.tokens().size(), host.runtime.computedTokens() - computed);
  }

  @Test
  void whatIsReadForSomebodyWhoHasLeftIsGivenBack() throws Exception {
    Script.Hold hold = host.script.hold(PortCall.PLACES);
    Generation asked = host.ask(request("ada", 3, ada));
    hold.awaitReached();
    asked.cancel();
    assertThrows(RequestException.class, () -> asked.await(PATIENCE));
    hold.release();
    awaitNothingHeld();
    assertEquals(ada.length - 1, host.ask("ada", ada).cachedTokens());
  }

  @Test
  void whatIsReadIntoAModelThatLeavesMeanwhileIsNobodys() throws Exception {
    Script.Hold hold = host.script.hold(PortCall.PLACES);
    Generation asked = host.ask(request("ada", 3, ada));
    hold.awaitReached();
    host.registry.swapWithRollback(
        Geometry.BETA.id(), SwapOptions.builder().drainPolicy(DrainPolicy.PREEMPT).build());
    hold.release();
    GenerationResult answer = asked.await(PATIENCE);
    assertEquals(Geometry.BETA.tag(), answer.model());
    assertEquals(0, answer.cachedTokens());
    host.registry.swapWithRollback(Geometry.ALPHA.id());
    assertEquals(ada.length - 1, host.ask("ada", ada).cachedTokens());
  }

  @ParameterizedTest
  @EnumSource(
      value = PortCall.class,
      names = {"PLACES", "OCCUPY", "STORE_LOAD"})
  void whatCannotBeReadIsComputed(PortCall call) throws Exception {
    host.script.fail(call, 1, Fault.UNCHECKED);
    GenerationResult answer = host.ask("ada", ada);
    assertTrue(host.script.fired());
    assertEquals(0, answer.cachedTokens());
    assertEquals(ada.length, answer.promptTokens());
  }

  @Test
  void whatIsOnlyBeingReadGivesWayToWhoIsAnswered() throws Exception {
    Script.Hold hold = host.script.hold(PortCall.PLACES);
    Generation asked = host.ask(request("ada", 3, ada));
    hold.awaitReached();
    assertEquals(0, host.ask("bob", tokens(256 * free - 100, 7)).cachedTokens());
    hold.release();
    assertEquals(3, asked.await(PATIENCE).tokens().size());
  }

  @Test
  void whereThereIsNoRoomItIsCopiedOnceSomebodyHasMadeRoom() {
    int[] much = tokens(256 * (free - 1), 7);
    host.ask("bob", much);
    assertEquals(ada.length - 1, host.ask("ada", ada).cachedTokens());
  }
}
