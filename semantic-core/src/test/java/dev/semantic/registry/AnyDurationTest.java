package dev.semantic.registry;

import static dev.semantic.scripted.ScriptedHost.request;
import static dev.semantic.scripted.ScriptedHost.tokens;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.generate.EngineOptions;
import dev.semantic.generate.GenerationRequest;
import dev.semantic.generate.Prompt;
import dev.semantic.generate.RequestException;
import dev.semantic.memory.MemoryBudget;
import dev.semantic.model.ModelId;
import dev.semantic.model.ModelSpec;
import dev.semantic.scripted.Fault;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.PortCall;
import dev.semantic.scripted.Script;
import dev.semantic.scripted.ScriptedHost;
import dev.semantic.scripted.ScriptedRuntime;
import dev.semantic.store.DiskCacheStore;
import dev.semantic.store.MaintenancePolicy;
import dev.semantic.store.Retention;
import dev.semantic.swap.ReclaimPolicy;
import dev.semantic.swap.SwapOutcome;
import java.nio.file.Path;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** "No limit" is a duration like any other, wherever one is asked for; nothing is none. */
class AnyDurationTest {
  private static final Duration EVER = ChronoUnit.FOREVER.getDuration();

  static Stream<Function<SwapOptions.Builder, SwapOptions.Builder>> everyDuration() {
    return Stream.of(
        builder -> builder.phaseTimeout(EVER),
        builder -> builder.drainTimeout(EVER),
        builder -> builder.returnWithin(EVER),
        builder -> builder.rollbackAttempts(3, EVER));
  }

  @ParameterizedTest
  @MethodSource("everyDuration")
  void aSwapWithoutALimitSwapsAndLeavesNothing(
      Function<SwapOptions.Builder, SwapOptions.Builder> limit) throws Exception {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA)) {
      SwapOptions options = limit.apply(SwapOptions.builder()).build();
      assertEquals(
          SwapOutcome.SWAPPED,
          host.registry.swapWithRollback(Geometry.BETA.id(), options).outcome());
      assertEquals(1, host.runtime.openPrepared());
      host.registry.swapWithRollback(Geometry.ALPHA.id(), options);
    }
  }

  @Test
  void whatARequestMayTakeMayBeForEver() {
    EngineOptions options = new EngineOptions(4, 100, EVER, 16, false);
    try (ScriptedHost host =
        new ScriptedHost(ScriptedHost.ROOMY, builder -> builder.engine(options))) {
      host.registry.load(Geometry.ALPHA.id());
      GenerationRequest request =
          GenerationRequest.of(new Prompt.Tokens(tokens(9, 1)))
              .deadline(EVER)
              .timeLimit(EVER)
              .maxTokens(3)
              .build();
      assertEquals(Geometry.ALPHA.tag(), host.ask(request).await(EVER).model());
    }
  }

  @Test
  void aModelThatMayStayForEverHasAKeeperAllTheSame() throws Exception {
    KeepAlivePolicy keepAlive = new KeepAlivePolicy(Optional.of(EVER), Set.of(), List.of(), EVER);
    try (ScriptedHost host =
        new ScriptedHost(ScriptedHost.ROOMY, builder -> builder.keepAlive(keepAlive))) {
      host.registry.load(Geometry.ALPHA.id());
      host.ask("ada", tokens(9, 1));
      host.registry.swapWithRollback(Geometry.BETA.id());
      assertEquals(Optional.of(Geometry.BETA.id()), host.registry.current().map(ModelSpec::id));
      assertTrue(
          Thread.getAllStackTraces().keySet().stream()
              .anyMatch(thread -> thread.getName().equals("semantic-keeper")),
          "the keeper's thread has ended");
    }
  }

  /** A failure that is remembered for ever is told of with a number all the same. */
  @Test
  void aFailureMayBeRememberedForEver() {
    KeepAlivePolicy keepAlive =
        new KeepAlivePolicy(Optional.of(Duration.ofMillis(20)), Set.of(), List.of(), EVER);
    try (ScriptedHost host =
        new ScriptedHost(ScriptedHost.ROOMY, builder -> builder.keepAlive(keepAlive))) {
      host.registry.load(Geometry.ALPHA.id());
      await().atMost(ScriptedHost.PATIENCE).until(() -> host.registry.current().isEmpty());
      host.script.failForGood(PortCall.LOAD, 1, Fault.DECLARED);
      for (int i = 0; i < 2; i++) {
        var refused =
            assertThrows(
                RequestException.class,
                () -> host.ask(request("ada", 3, tokens(9, 1))).await(ScriptedHost.PATIENCE));
        assertTrue(refused.retryAfter().orElseThrow().toDays() > 365);
      }
    }
  }

  @Test
  void cachesMayBeKeptForEver(@TempDir Path root) throws Exception {
    Retention ever = Retention.UNLIMITED.withAge(EVER);
    try (DiskCacheStore store =
            DiskCacheStore.builder(root)
                .timeToLive(EVER)
                .maintenance(
                    MaintenancePolicy.DEFAULTS
                        .withLive(ever)
                        .withArchive(ever)
                        .withQuarantine(ever))
                .open();
        ScriptedHost host =
            new ScriptedHost(ScriptedHost.ROOMY, builder -> builder.caches(store))) {
      host.registry.load(Geometry.ALPHA.id());
      host.ask("ada", tokens(9, 1));
      host.registry.swapWithRollback(Geometry.BETA.id());
      assertEquals(0, store.maintenance().run().caches(), "for ever is over already");
      assertEquals(1, store.maintenance().list().size());
    }
  }

  static Stream<Executable> everyNull() {
    SwapOptions.Builder swap = SwapOptions.builder();
    RegistryBuilder registry = ModelRegistry.builder(new ScriptedRuntime(new Script()));
    GenerationRequest.Builder request = GenerationRequest.of(new Prompt.Text("x"));
    return Stream.of(
        () -> swap.drainPolicy(nothing()),
        () -> swap.drainTimeout(nothing()),
        () -> swap.returnWithin(nothing()),
        () -> swap.arrivals(nothing()),
        () -> swap.ifBusy(nothing()),
        () -> swap.phaseTimeout(nothing()),
        () -> swap.rollbackAttempts(1, nothing()),
        () -> swap.reclaim(nothing()),
        () -> swap.guard(nothing()),
        () -> registry.caches(nothing()),
        () -> registry.budget(nothing()),
        () -> registry.cacheBytes(nothing()),
        () -> registry.engine(nothing()),
        () -> registry.journal(nothing()),
        () -> registry.keepAlive(nothing()),
        () -> registry.listener(nothing()),
        () -> ModelRegistry.builder(nothing()),
        () -> GenerationRequest.of(nothing()),
        () -> request.agent(nothing()),
        () -> request.model(nothing()),
        () -> request.sampling(nothing()),
        () -> request.stop((String[]) nothing()),
        () -> request.stop("a", nothing()),
        () -> request.deadline(nothing()),
        () -> request.timeLimit(nothing()),
        () -> KeepAlivePolicy.idleFor(EVER).pinning((ModelId[]) nothing()),
        () -> new MemoryBudget(nothing()),
        () -> new ReclaimPolicy(0.1, nothing()),
        () -> new EngineOptions(1, 1, nothing(), 0, false));
  }

  @ParameterizedTest
  @MethodSource("everyNull")
  void nothingIsRefusedWhereItIsGiven(Executable setter) {
    var refused = assertThrows(NullPointerException.class, setter);
    assertTrue(
        String.valueOf(refused.getMessage()).contains("must not be null"), refused::toString);
  }

  @Test
  void noModelIsNotAnUnload() {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA)) {
      assertThrows(NullPointerException.class, () -> host.registry.swapWithRollback(nothing()));
      assertThrows(NullPointerException.class, () -> host.registry.unload(nothing()));
      assertEquals(Geometry.ALPHA.tag(), host.ask("ada", tokens(9, 1)).model());
    }
  }

  /** What a host's own mistake, or a language without types, gives. */
  @SuppressWarnings({"NullAway", "TypeParameterUnusedInFormals"})
  private static <T> T nothing() {
    return null;
  }
}
