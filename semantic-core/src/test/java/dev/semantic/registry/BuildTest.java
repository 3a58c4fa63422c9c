package dev.semantic.registry;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.semantic.scripted.ForwardedStore;
import dev.semantic.scripted.Script;
import dev.semantic.scripted.ScriptedRuntime;
import dev.semantic.store.PinnedAgents;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** A registry that cannot be built. */
class BuildTest {
  private static long threads() {
    return Thread.getAllStackTraces().keySet().stream()
        .map(Thread::getName)
        .filter(name -> name.equals("semantic-engine") || name.equals("semantic-watchdog"))
        .count();
  }

  @Test
  void oneThatFailsLeavesNoThreadBehind() {
    long before = threads();
    RegistryBuilder builder = ModelRegistry.builder(new ScriptedRuntime(new Script()));
    builder.caches(
        new ForwardedStore() {
          @Override
          public void addUser(PinnedAgents pinned) {
            throw new IllegalStateException("closed");
          }
        });
    IllegalStateException failure = assertThrows(IllegalStateException.class, builder::build);
    assertEquals("closed", failure.getMessage());
    Awaitility.await().until(() -> threads() <= before);
  }
}
