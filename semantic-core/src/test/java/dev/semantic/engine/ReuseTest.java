package dev.semantic.engine;

import static dev.semantic.scripted.ScriptedHost.PATIENCE;
import static dev.semantic.scripted.ScriptedHost.request;
import static dev.semantic.scripted.ScriptedHost.said;
import static dev.semantic.scripted.ScriptedHost.tokens;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.generate.Generation;
import dev.semantic.generate.GenerationResult;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.PortCall;
import dev.semantic.scripted.Script;
import dev.semantic.scripted.ScriptedHost;
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

  private static ScriptedHost house(CacheStore store) {
    return new ScriptedHost(
        ScriptedHost.ROOMY, builder -> builder.caches(new ScriptedStore(store, new Script())));
  }

  private static ScriptedHost nobodyComesBack(CacheStore store) {
    return new ScriptedHost(
        ScriptedHost.ROOMY, builder -> builder.caches(store).engine(ScriptedHost.engine(0, false)));
  }

  /** Asks for one token; how many of the prompt were computed, which the answer must admit to. */
  private static int computed(ScriptedHost host, String agent, int[] prompt) {
    long before = host.runtime.computedTokens();
    GenerationResult answer = host.ask(request(agent, 1, prompt)).await(PATIENCE);
    int computed = (int) (host.runtime.computedTokens() - before);
    assertEquals(prompt.length - computed, answer.cachedTokens());
    return computed;
  }

  @Test
  void fromDiskAfterARestart() {
    int[] ada;
    try (DiskCacheStore store = DiskCacheStore.open(directory);
        ScriptedHost host = house(store)) {
      host.registry.load(Geometry.ALPHA.id());
      ada = said(prompt(1), host.ask("ada", prompt(1)));
    }
    try (DiskCacheStore store = DiskCacheStore.open(directory);
        ScriptedHost host =
            new ScriptedHost(ScriptedHost.ROOMY, builder -> builder.caches(store))) {
      host.registry.load(Geometry.ALPHA.id());
      assertEquals(1, computed(host, "ada", ada));
      assertEquals(650 - 512, computed(host, "bob", prompt(2)), "from her memory");
    }
  }

  /** Nobody of those who hold it is in memory: the store itself knows what begins alike. */
  @Test
  void whatOthersHaveParkedIsABeginningForWhoIsNew() {
    try (DiskCacheStore store = DiskCacheStore.open(directory);
        ScriptedHost host = house(store)) {
      host.registry.load(Geometry.ALPHA.id());
      host.ask("ada", prompt(1));
    }
    try (DiskCacheStore store = DiskCacheStore.open(directory);
        ScriptedHost host = nobodyComesBack(store)) {
      host.registry.load(Geometry.ALPHA.id());
      assertEquals(650 - 512, computed(host, "bob", prompt(2)));
    }
  }

  /** Also for who is in memory, with something else. */
  @Test
  void whatOthersHaveParkedIsMoreThanTheLittleThatOneHolds() {
    try (DiskCacheStore store = DiskCacheStore.open(directory);
        ScriptedHost host = house(store)) {
      host.registry.load(Geometry.ALPHA.id());
      host.ask("ada", prompt(1));
    }
    try (DiskCacheStore store = DiskCacheStore.open(directory);
        ScriptedHost host = nobodyComesBack(store)) {
      host.registry.load(Geometry.ALPHA.id());
      host.ask("bob", tokens(30, 7));
      assertEquals(650 - 512, computed(host, "bob", prompt(2)));
      int[] talk = said(prompt(2), host.ask("bob", prompt(2)));
      assertEquals(1, computed(host, "bob", talk), "then it is his own");
    }
  }

  @Test
  void afterASwapThereAndBack() throws Exception {
    for (Geometry model : List.of(Geometry.ALPHA, Geometry.GAMMA)) {
      try (ScriptedHost host = ScriptedHost.serving(model)) {
        int[] ada = said(tokens(300, 1), host.ask("ada", tokens(300, 1)));
        host.registry.swapWithRollback(Geometry.BETA.id());
        assertEquals(ada.length, computed(host, "ada", ada), "beta has not heard it");
        host.registry.swapWithRollback(model.id());
        assertEquals(1, computed(host, "ada", ada));
      }
    }
  }

  @Test
  void byManyAtATime() throws Exception {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA)) {
      List<int[]> texts = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        texts.add(said(tokens(300, i), host.ask("agent " + i, tokens(300, i))));
      }
      long before = host.runtime.computedTokens();
      Script.Hold hold = host.script.hold(PortCall.FORWARD);
      List<Generation> all = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        all.add(host.ask(request("agent " + i, 6, texts.get(i))));
      }
      hold.awaitReached();
      hold.release();
      int generated = 0;
      for (int i = 0; i < 4; i++) {
        GenerationResult answer = all.get(i).await(PATIENCE);
        assertEquals(texts.get(i).length - 1, answer.cachedTokens());
        generated += answer.tokens().size() - 1;
      }
      assertEquals(4 + generated, host.runtime.computedTokens() - before);
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
        ScriptedHost host =
            new ScriptedHost(ScriptedHost.TIGHT, builder -> builder.caches(store))) {
      host.registry.load(Geometry.ALPHA.id());
      ada = said(prompt(1), host.ask("ada", prompt(1)));
      host.registry.swapWithRollback(Geometry.BETA.id());
      host.runtime.install(other);
      host.registry.swapWithRollback(other.id());
      assertEquals(other.tag(), host.registry.current().orElseThrow().tag());
      assertEquals(ada.length, computed(host, "ada", ada));
      its = said(prompt(2), host.ask("bob", prompt(2)));
    }
    try (DiskCacheStore store = DiskCacheStore.open(directory);
        ScriptedHost host =
            new ScriptedHost(ScriptedHost.TIGHT, builder -> builder.caches(store))) {
      assertEquals(1, host.registry.load(Geometry.ALPHA.id()).agentsRestored());
      assertEquals(1, computed(host, "ada", ada), "hers is as it was");
      assertTrue(computed(host, "bob", its) > its.length - 600, "only what ada has, too");
    }
  }
}
