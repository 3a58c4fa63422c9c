package dev.semantic.engine;

import static dev.semantic.scripted.ScriptedHost.PATIENCE;
import static dev.semantic.scripted.ScriptedHost.request;
import static dev.semantic.scripted.ScriptedHost.said;
import static dev.semantic.scripted.ScriptedHost.tokens;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.semantic.generate.Generation;
import dev.semantic.kv.AgentId;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.PortCall;
import dev.semantic.scripted.Script;
import dev.semantic.scripted.ScriptedHost;
import dev.semantic.store.CacheImport;
import dev.semantic.store.CacheView;
import dev.semantic.store.DiskCacheStore;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * An imported cache serves its own agent in the model's memory too: whoever has the same system
 * prompt computes it, wherever the imported one is at the time.
 */
class ImportedAgentTest {
  private static final int[] SYSTEM = tokens(600, 1);
  private static final int SHARED = 512;

  @TempDir private Path directory;
  private Path root;
  private int[] imported;

  private static int[] prompt(int agent) {
    int[] prompt = Arrays.copyOf(SYSTEM, 650);
    System.arraycopy(tokens(50, 50 + agent), 0, prompt, 600, 50);
    return prompt;
  }

  @BeforeEach
  void importMallorys() {
    Path away = directory.resolve("away");
    try (DiskCacheStore store = DiskCacheStore.open(away);
        ScriptedHost host = house(store, false, true)) {
      host.registry.load(Geometry.ALPHA.id());
      imported = said(prompt(1), host.ask("mallory", prompt(1)));
    }
    Path parcel = directory.resolve("present.kv");
    CacheView.of(away).export(CacheView.of(away).list().getFirst(), parcel);
    root = directory.resolve("root");
    try (DiskCacheStore store = DiskCacheStore.open(root)) {
      store.importFrom(CacheImport.of(parcel));
    }
  }

  private static ScriptedHost house(DiskCacheStore store, boolean comesBack, boolean inPlace) {
    ScriptedHost host =
        new ScriptedHost(
            ScriptedHost.ROOMY,
            builder -> builder.caches(store).engine(ScriptedHost.engine(comesBack ? 16 : 0, true)));
    host.runtime.readsInPlace(inPlace);
    return host;
  }

  private static int cached(ScriptedHost host, String agent, int[] prompt) {
    return host.ask(request(agent, 1, prompt)).await(PATIENCE).cachedTokens();
  }

  @Test
  void itIsNotReadForOthers() {
    try (DiskCacheStore store = DiskCacheStore.open(root);
        ScriptedHost host = house(store, false, true)) {
      host.registry.load(Geometry.ALPHA.id());
      assertEquals(0, cached(host, "bob", prompt(2)));
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void itIsNotForkedInMemory(boolean inPlace) {
    try (DiskCacheStore store = DiskCacheStore.open(root);
        ScriptedHost host = house(store, false, inPlace)) {
      host.registry.load(Geometry.ALPHA.id());
      assertEquals(imported.length - 1, cached(host, "mallory", imported), "it is its own");
      assertEquals(0, cached(host, "bob", prompt(2)));
      assertEquals(SHARED, cached(host, "eve", prompt(3)), "of bob, who computed it here");
    }
  }

  @Test
  void itIsNotForkedWhileItAnswers() throws Exception {
    try (DiskCacheStore store = DiskCacheStore.open(root);
        ScriptedHost host = house(store, false, true)) {
      host.registry.load(Geometry.ALPHA.id());
      Script.Hold hold = host.script.hold(PortCall.FORWARD);
      Generation mallory = host.ask(request("mallory", 50, imported));
      hold.awaitReached();
      Generation bob = host.ask(request("bob", 1, prompt(2)));
      hold.release();
      assertEquals(0, bob.await(PATIENCE).cachedTokens());
      assertEquals(imported.length - 1, mallory.await(PATIENCE).cachedTokens());
    }
  }

  @Test
  void whoIsBroughtBackIsNotForked() throws Exception {
    try (DiskCacheStore store = DiskCacheStore.open(root);
        ScriptedHost host = house(store, true, true)) {
      host.registry.load(Geometry.ALPHA.id());
      host.registry.swapWithRollback(Geometry.BETA.id());
      host.registry.swapWithRollback(Geometry.ALPHA.id());
      assertEquals(imported.length - 1, cached(host, "mallory", imported));
      assertEquals(0, cached(host, "bob", prompt(2)));
    }
  }

  /** What goes on from it is parked again, by whatever parks it, and comes out of a new process. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void whatGoesOnFromItIsParkedAsItsAgentsAlone(boolean inPlace) throws Exception {
    int[] longer;
    try (DiskCacheStore store = DiskCacheStore.open(root);
        ScriptedHost host = house(store, false, inPlace)) {
      host.registry.load(Geometry.ALPHA.id());
      longer = said(imported, host.ask("mallory", imported));
      host.registry.swapWithRollback(Geometry.BETA.id());
    }
    try (DiskCacheStore store = DiskCacheStore.open(root);
        ScriptedHost host = house(store, false, inPlace)) {
      host.registry.load(Geometry.ALPHA.id());
      assertEquals(0, cached(host, "bob", prompt(2)));
      assertEquals(longer.length - 1, cached(host, "mallory", longer));
      store.forget(new AgentId("bob"));
    }
  }

  /** Nothing of what was imported is left in it. */
  @Test
  void anAgentThatBeginsAnewSharesWhatItComputes() {
    try (DiskCacheStore store = DiskCacheStore.open(root);
        ScriptedHost host = house(store, false, true)) {
      host.registry.load(Geometry.ALPHA.id());
      cached(host, "mallory", imported);
      int[] other = tokens(600, 9);
      assertEquals(0, cached(host, "mallory", other));
      assertEquals(SHARED, cached(host, "bob", other));
    }
  }
}
