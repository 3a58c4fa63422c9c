package dev.semantic.engine;

import static dev.semantic.scripted.ScriptedHouse.PATIENCE;
import static dev.semantic.scripted.ScriptedHouse.request;
import static dev.semantic.scripted.ScriptedHouse.said;
import static dev.semantic.scripted.ScriptedHouse.tokens;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.generate.Generation;
import dev.semantic.generate.GenerationResult;
import dev.semantic.generate.RequestException;
import dev.semantic.registry.SwapOptions;
import dev.semantic.scripted.Fault;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.PortCall;
import dev.semantic.scripted.Script;
import dev.semantic.scripted.ScriptedHouse;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Parked caches that are read straight into the model's memory, or as copies. */
class RecallTest {
  @RegisterExtension private final ScriptedHouse house = ScriptedHouse.serving(Geometry.ALPHA);
  private int[] ada;
  private int free;
  private long active;

  /** Ada is parked, and in nobody's memory; nobody brings her back. */
  @BeforeEach
  void park() throws Exception {
    int[] prompt = tokens(300, 1);
    ada = said(prompt, house.ask("ada", prompt));
    house.registry.swapWithRollback(Geometry.BETA.id());
    house.script.failForGood(PortCall.STORE_PARKED, 1, Fault.UNCHECKED);
    house.registry.swapWithRollback(Geometry.ALPHA.id());
    house.script.heal();
    free = house.registry.pool().availableBlocks();
    active = house.runtime.memory().activeBytes();
  }

  private void awaitNothingHeld() throws InterruptedException {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (house.registry.pool().availableBlocks() != free
        || house.runtime.memory().activeBytes() != active) {
      assertTrue(System.nanoTime() < end, "what was read for nobody is still held");
      Thread.sleep(1);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void howeverItIsReadTheAgentGoesOn(boolean inPlace) {
    house.runtime.readsInPlace(inPlace);
    long computed = house.runtime.computedTokens();
    GenerationResult answer = house.ask("ada", ada);
    assertEquals(ada.length - 1, answer.cachedTokens());
    assertEquals(answer.tokens().size(), house.runtime.computedTokens() - computed);
  }

  @Test
  void whatIsReadForSomebodyWhoHasLeftIsGivenBack() throws Exception {
    Script.Hold hold = house.script.hold(PortCall.PLACES);
    Generation asked = house.ask(request("ada", 3, ada));
    hold.awaitReached();
    asked.cancel();
    assertThrows(RequestException.class, () -> asked.await(PATIENCE));
    hold.release();
    awaitNothingHeld();
    assertEquals(ada.length - 1, house.ask("ada", ada).cachedTokens());
  }

  @Test
  void whatIsReadIntoAModelThatLeavesMeanwhileIsNobodys() throws Exception {
    Script.Hold hold = house.script.hold(PortCall.PLACES);
    Generation asked = house.ask(request("ada", 3, ada));
    hold.awaitReached();
    house.registry.swapWithRollback(
        Geometry.BETA.id(), SwapOptions.builder().drainPolicy(DrainPolicy.PREEMPT).build());
    hold.release();
    GenerationResult answer = asked.await(PATIENCE);
    assertEquals(Geometry.BETA.tag(), answer.model());
    assertEquals(0, answer.cachedTokens());
    house.registry.swapWithRollback(Geometry.ALPHA.id());
    assertEquals(ada.length - 1, house.ask("ada", ada).cachedTokens());
  }

  @ParameterizedTest
  @EnumSource(
      value = PortCall.class,
      names = {"PLACES", "OCCUPY", "STORE_LOAD"})
  void whatCannotBeReadIsComputed(PortCall call) throws Exception {
    house.script.fail(call, 1, Fault.UNCHECKED);
    GenerationResult answer = house.ask("ada", ada);
    assertTrue(house.script.fired());
    assertEquals(0, answer.cachedTokens());
    assertEquals(ada.length, answer.promptTokens());
  }

  @Test
  void whereThereIsNoRoomItIsCopiedOnceSomebodyHasMadeRoom() {
    int[] much = tokens(256 * (free - 1), 7);
    house.ask("bob", much);
    assertEquals(ada.length - 1, house.ask("ada", ada).cachedTokens());
  }
}
