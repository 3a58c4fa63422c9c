package dev.semantic.engine;

import static dev.semantic.scripted.ScriptedHouse.PATIENCE;
import static dev.semantic.scripted.ScriptedHouse.request;
import static dev.semantic.scripted.ScriptedHouse.said;
import static dev.semantic.scripted.ScriptedHouse.tokens;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.generate.Generation;
import dev.semantic.generate.GenerationResult;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.PortCall;
import dev.semantic.scripted.Script;
import dev.semantic.scripted.ScriptedHouse;
import dev.semantic.scripted.ScriptedStore;
import dev.semantic.store.CacheStore;
import dev.semantic.store.DiskCacheStore;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * That what was computed once is not computed again, by the tokens that the model was given; and
 * that nothing is reused that another model, tokenizer or template made.
 */
class ReuseTest {
  private static final int[] SYSTEM = tokens(600, 1);

  @TempDir private Path directory;

  private static int[] prompt(int agent) {
    int[] prompt = Arrays.copyOf(SYSTEM, 650);
    System.arraycopy(tokens(50, 50 + agent), 0, prompt, 600, 50);
    return prompt;
  }

  private static ScriptedHouse house(CacheStore store) {
    return new ScriptedHouse(
        ScriptedHouse.ROOMY, builder -> builder.caches(new ScriptedStore(store, new Script())));
  }

  private static ScriptedHouse nobodyComesBack(CacheStore store) {
    return new ScriptedHouse(
        ScriptedHouse.ROOMY,
        builder -> builder.caches(store).engine(ScriptedHouse.engine(0, false)));
  }

  /** Asks for one token; how many of the prompt were computed, which the answer must admit to. */
  private static int computed(ScriptedHouse house, String agent, int[] prompt) {
    long before = house.runtime.computedTokens();
    GenerationResult answer = house.ask(request(agent, 1, prompt)).await(PATIENCE);
    int computed = (int) (house.runtime.computedTokens() - before);
    assertEquals(prompt.length - computed, answer.cachedTokens());
    return computed;
  }

  @Test
  void fromDiskAfterARestart() {
    int[] ada;
    try (DiskCacheStore store = DiskCacheStore.open(directory);
        ScriptedHouse house = house(store)) {
      house.registry.load(Geometry.ALPHA.id());
      ada = said(prompt(1), house.ask("ada", prompt(1)));
    }
    try (DiskCacheStore store = DiskCacheStore.open(directory);
        ScriptedHouse house =
            new ScriptedHouse(ScriptedHouse.ROOMY, builder -> builder.caches(store))) {
      house.registry.load(Geometry.ALPHA.id());
      assertEquals(1, computed(house, "ada", ada));
      assertEquals(650 - 512, computed(house, "bob", prompt(2)), "from her memory");
    }
  }

  /** Nobody of those who hold it is in memory: the store itself knows what begins alike. */
  @Test
  void whatOthersHaveParkedIsABeginningForWhoIsNew() {
    try (DiskCacheStore store = DiskCacheStore.open(directory);
        ScriptedHouse house = house(store)) {
      house.registry.load(Geometry.ALPHA.id());
      house.ask("ada", prompt(1));
    }
    try (DiskCacheStore store = DiskCacheStore.open(directory);
        ScriptedHouse house = nobodyComesBack(store)) {
      house.registry.load(Geometry.ALPHA.id());
      assertEquals(650 - 512, computed(house, "bob", prompt(2)));
    }
  }

  /** Also for who is in memory, with something else. */
  @Test
  void whatOthersHaveParkedIsMoreThanTheLittleThatOneHolds() {
    try (DiskCacheStore store = DiskCacheStore.open(directory);
        ScriptedHouse house = house(store)) {
      house.registry.load(Geometry.ALPHA.id());
      house.ask("ada", prompt(1));
    }
    try (DiskCacheStore store = DiskCacheStore.open(directory);
        ScriptedHouse house = nobodyComesBack(store)) {
      house.registry.load(Geometry.ALPHA.id());
      house.ask("bob", tokens(30, 7));
      assertEquals(650 - 512, computed(house, "bob", prompt(2)));
      int[] talk = said(prompt(2), house.ask("bob", prompt(2)));
      assertEquals(1, computed(house, "bob", talk), "then it is his own");
    }
  }

  @Test
  void afterASwapThereAndBack() throws Exception {
    for (Geometry model : List.of(Geometry.ALPHA, Geometry.GAMMA)) {
      try (ScriptedHouse house = ScriptedHouse.serving(model)) {
        int[] ada = said(tokens(300, 1), house.ask("ada", tokens(300, 1)));
        house.registry.swapWithRollback(Geometry.BETA.id());
        assertEquals(ada.length, computed(house, "ada", ada), "beta has not heard it");
        house.registry.swapWithRollback(model.id());
        assertEquals(1, computed(house, "ada", ada));
      }
    }
  }

  @Test
  void byManyAtATime() throws Exception {
    try (ScriptedHouse house = ScriptedHouse.serving(Geometry.ALPHA)) {
      List<int[]> texts = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        texts.add(said(tokens(300, i), house.ask("agent " + i, tokens(300, i))));
      }
      long before = house.runtime.computedTokens();
      Script.Hold hold = house.script.hold(PortCall.FORWARD);
      List<Generation> all = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        all.add(house.ask(request("agent " + i, 6, texts.get(i))));
      }
      hold.awaitReached();
      hold.release();
      int generated = 0;
      for (int i = 0; i < 4; i++) {
        GenerationResult answer = all.get(i).await(PATIENCE);
        assertEquals(texts.get(i).length - 1, answer.cachedTokens());
        generated += answer.tokens().size() - 1;
      }
      assertEquals(4 + generated, house.runtime.computedTokens() - before);
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Geometry.class,
      names = {"TWIN", "REQUANTISED", "RETOKENISED", "RETEMPLATED"})
  void neverWhatIsLaidOutAlikeAndIsAnotherModel(Geometry other) throws Exception {
    int[] ada;
    int[] its;
    try (DiskCacheStore store = DiskCacheStore.open(directory);
        ScriptedHouse house =
            new ScriptedHouse(ScriptedHouse.TIGHT, builder -> builder.caches(store))) {
      house.registry.load(Geometry.ALPHA.id());
      ada = said(prompt(1), house.ask("ada", prompt(1)));
      house.registry.swapWithRollback(Geometry.BETA.id());
      house.runtime.install(other);
      house.registry.swapWithRollback(other.id());
      assertEquals(other.tag(), house.registry.current().orElseThrow().tag());
      assertEquals(ada.length, computed(house, "ada", ada));
      its = said(prompt(2), house.ask("bob", prompt(2)));
    }
    try (DiskCacheStore store = DiskCacheStore.open(directory);
        ScriptedHouse house =
            new ScriptedHouse(ScriptedHouse.TIGHT, builder -> builder.caches(store))) {
      assertEquals(1, house.registry.load(Geometry.ALPHA.id()).agentsRestored());
      assertEquals(1, computed(house, "ada", ada), "hers is as it was");
      assertTrue(computed(house, "bob", its) > its.length - 600, "only what ada has, too");
    }
  }
}
