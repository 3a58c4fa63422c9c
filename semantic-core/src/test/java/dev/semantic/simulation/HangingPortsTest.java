package dev.semantic.simulation;

import static dev.semantic.scripted.ScriptedHost.tokens;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.generate.EngineMode;
import dev.semantic.generate.Generation;
import dev.semantic.generate.GenerationRequest;
import dev.semantic.generate.Prompt;
import dev.semantic.generate.RequestException;
import dev.semantic.generate.RequestException.Kind;
import dev.semantic.kv.AgentId;
import dev.semantic.memory.ByteSize;
import dev.semantic.memory.MemoryBudget;
import dev.semantic.model.ModelId;
import dev.semantic.registry.ModelRegistry;
import dev.semantic.registry.RegistryBuilder;
import dev.semantic.registry.Simulated;
import dev.semantic.registry.SwapOptions;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.PortCall;
import dev.semantic.scripted.ScriptedHost;
import dev.semantic.scripted.ScriptedStore;
import dev.semantic.store.CacheException;
import dev.semantic.store.CacheUsage;
import dev.semantic.store.ParkingStatus;
import dev.semantic.swap.ModelSwapException;
import dev.semantic.swap.PhaseTimeoutException;
import dev.semantic.swap.SwapCancelledException;
import dev.semantic.timeline.ThreadHandle;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** A model or a store that does not come back for an hour; in virtual time. */
class HangingPortsTest {
  private static final Duration HOUR = Duration.ofHours(1);
  private static final Duration SOON = Duration.ofSeconds(3);

  private final SimulatedTimeline time = new SimulatedTimeline(1, 10);
  private @Nullable PortCall hanging;
  private ScriptedHost host = house(false, ByteSize.parse("128KiB"));

  private ScriptedHost house(boolean writeBehind, ByteSize caches) {
    return house(writeBehind, caches, ScriptedHost.TIGHT);
  }

  private ScriptedHost house(boolean writeBehind, ByteSize caches, ByteSize budget) {
    ScriptedHost made =
        new ScriptedHost(
            budget,
            builder ->
                Simulated.in(time, builder)
                    .cacheBytes(caches)
                    .engine(ScriptedHost.engine(16, writeBehind)));
    made.script.onVisit(
        call -> {
          if (call == hanging) {
            time.pause(HOUR);
          }
        });
    made.registry.load(Geometry.ALPHA.id());
    return made;
  }

  @AfterEach
  void everybodyComesBackAtLast() {
    hanging = null;
    time.pause(HOUR.multipliedBy(4));
    host.registry.close();
    time.pause(Duration.ofMinutes(1));
    assertEquals(List.of(), time.living());
    Thread.interrupted();
  }

  private Generation ask(String agent, @Nullable Duration limit) {
    GenerationRequest.Builder builder =
        GenerationRequest.of(new Prompt.Tokens(tokens(300, 1)))
            .agent(new AgentId(agent))
            .maxTokens(2);
    if (limit != null) {
      builder.timeLimit(limit);
    }
    return host.registry.generate(builder.build());
  }

  private RequestException failure(Generation generation, Duration within) {
    time.pause(within);
    assertTrue(generation.isDone(), "it waits for what hangs");
    return assertThrows(RequestException.class, generation::await);
  }

  private void answered(Generation generation) {
    time.pause(Duration.ofSeconds(1));
    assertTrue(generation.isDone());
    generation.await();
  }

  private Duration closing() {
    long before = time.nanoTime();
    host.registry.close();
    return Duration.ofNanos(time.nanoTime() - before);
  }

  @Test
  void aTimeLimitHoldsWhileTheModelHangs() {
    hanging = PortCall.FORWARD;
    Generation ada = ask("ada", Duration.ofSeconds(1));
    assertEquals(Kind.TIME_LIMIT, failure(ada, SOON).kind());
  }

  @Test
  void aCancelHoldsWhileTheModelHangs() {
    hanging = PortCall.FORWARD;
    Generation ada = ask("ada", null);
    time.pause(Duration.ofSeconds(1));
    ada.cancel();
    assertEquals(Kind.CANCELLED, failure(ada, SOON).kind());
  }

  @Test
  void aDeadlineInTheQueueHoldsWhileTheModelHangs() {
    hanging = PortCall.FORWARD;
    ask("ada", null);
    time.pause(Duration.ofSeconds(1));
    Generation second = ask("ada", Duration.ofSeconds(1));
    assertEquals(Kind.TIME_LIMIT, failure(second, SOON).kind());
  }

  @Test
  void aCloseComesBackAlthoughTheModelHangs() {
    hanging = PortCall.FORWARD;
    Generation ada = ask("ada", null);
    time.pause(Duration.ofSeconds(1));
    Duration took = closing();
    assertTrue(took.compareTo(Duration.ofSeconds(30)) < 0, took::toString);
    assertTrue(ada.isDone(), "nobody told her");
    assertEquals(EngineMode.CLOSED, host.registry.status().engine());
    assertFalse(host.runtime.openModels() == 0, "freed under the feet of what hangs");
  }

  @Test
  void aCloseComesBackAlthoughTheStoreHangs() {
    for (boolean writeBehind : new boolean[] {false, true}) {
      host.registry.close();
      host = house(writeBehind, ByteSize.parse("128KiB"));
      hanging = PortCall.STORE_PARK;
      answered(ask("ada", null));
      assertTrue(closing().compareTo(Duration.ofSeconds(25)) < 0, "write-behind: " + writeBehind);
      hanging = null;
      time.pause(HOUR);
    }
  }

  @Test
  void whoLooksAtAModelWaitsNoLongerThanASwapWould() {
    ModelId beta = Geometry.BETA.id();
    List<Executable> looks =
        List.of(() -> host.registry.validate(beta), () -> host.registry.plan(beta));
    for (PortCall call : List.of(PortCall.PREPARE, PortCall.TEXT, PortCall.PREPARED_CLOSE)) {
      for (Executable look : looks) {
        hanging = call;
        long begin = time.nanoTime();
        assertThrows(PhaseTimeoutException.class, look);
        assertTrue(time.nanoTime() - begin < HOUR.toNanos(), "it waits for what hangs");
        hanging = null;
        time.pause(HOUR.multipliedBy(2));
      }
    }
    assertEquals(
        host.script.count(PortCall.PREPARE) - 1, // of alpha, which serves
        host.script.count(PortCall.PREPARED_CLOSE),
        "what came back late is kept");
    answered(ask("ada", null));
  }

  @Test
  void aCloseCallsTheValidationOfWeightsOff() {
    for (PortCall call : List.of(PortCall.PREPARE, PortCall.LOAD, PortCall.MODEL_CLOSE)) {
      host.registry.close();
      host = house(false, ByteSize.parse("128KiB"), ScriptedHost.ROOMY);
      hanging = call;
      List<Throwable> ends = new ArrayList<>();
      ThreadHandle validating =
          time.start(
              "validating",
              () ->
                  ends.add(
                      assertThrows(
                          SwapCancelledException.class,
                          () -> host.registry.validateWeights(Geometry.BETA.id()))));
      time.pause(Duration.ofSeconds(1));
      assertTrue(validating.isAlive(), "nothing hangs");
      assertTrue(closing().compareTo(Duration.ofMinutes(1)) < 0, call::name);
      time.pause(Duration.ofSeconds(1));
      assertEquals(1, ends.size(), () -> "nobody was told: " + call + " " + time.uncaught());
      hanging = null;
      time.pause(HOUR.multipliedBy(2));
    }
  }

  @Test
  void anInterruptedThreadParksEverybodyAndStaysInterrupted() {
    answered(ask("ada", null));
    answered(ask("eve", null));
    Thread.currentThread().interrupt();
    host.registry.close();
    assertTrue(Thread.interrupted(), "the interrupt is lost");
    assertEquals(2, host.script.count(PortCall.STORE_PARK));
  }

  @Test
  void whoWantsRoomIsServedWhileTheStoreHangs() {
    host.registry.close();
    host = house(false, ByteSize.parse("32KiB"));
    answered(ask("ada", null));
    hanging = PortCall.STORE_PARK;
    Generation eve = ask("eve", null);
    time.pause(Duration.ofSeconds(8));
    assertTrue(eve.isDone(), "she waits for what hangs");
    assertEquals(2, eve.await().tokens().size());
    ParkingStatus.Suspended why =
        assertInstanceOf(ParkingStatus.Suspended.class, host.registry.status().parking());
    assertTrue(why.why().contains("has not come back"), why.why());
    answered(ask("ada", null)); // at once: the store is not waited for again
  }

  @Test
  void aHealthCheckIsNotHeldUpByTheStore() {
    answered(ask("ada", null));
    host.registry.status();
    for (PortCall call : List.of(PortCall.STORE_STATUS, PortCall.STORE_USAGE)) {
      Optional<CacheUsage> before = host.registry.status().caches();
      assertTrue(before.isPresent());
      hanging = call;
      long begin = time.nanoTime();
      for (int i = 0; i < 100; i++) {
        assertEquals(before, host.registry.status().caches());
      }
      Duration took = Duration.ofNanos(time.nanoTime() - begin);
      assertTrue(took.compareTo(Duration.ofSeconds(1)) < 0, () -> call + ": " + took);
      time.pause(Duration.ofSeconds(10));
      if (call == PortCall.STORE_STATUS) {
        ParkingStatus.Suspended why =
            assertInstanceOf(ParkingStatus.Suspended.class, host.registry.status().parking());
        assertTrue(why.why().contains("has not come back"), why.why());
      }
      hanging = null;
      time.pause(HOUR);
      assertInstanceOf(ParkingStatus.Parking.class, host.registry.status().parking());
    }
  }

  @Test
  void anAgentIsForgottenInTimeOrTheHostIsTold() {
    answered(ask("ada", null));
    hanging = PortCall.STORE_FORGET;
    long begin = time.nanoTime();
    CacheException why =
        assertThrows(CacheException.class, () -> host.registry.forget(new AgentId("ada")));
    assertTrue(
        time.nanoTime() - begin < Duration.ofMinutes(1).toNanos(), "it waits for what hangs");
    assertTrue(String.valueOf(why.getMessage()).contains("Ask again"), why::getMessage);
    assertEquals(0, host.registry.status().hotAgents());
    hanging = null;
    time.pause(HOUR);
    host.registry.forget(new AgentId("ada"));
  }

  @Test
  void aRegistryOverAStoreThatHangsIsRefusedInTime() {
    RegistryBuilder builder =
        Simulated.in(
            time,
            ModelRegistry.builder(host.runtime)
                .budget(new MemoryBudget(ScriptedHost.TIGHT))
                .caches(new ScriptedStore(host.script)));
    hanging = PortCall.STORE_ADD_USER;
    long begin = time.nanoTime();
    assertThrows(PhaseTimeoutException.class, builder::build);
    assertTrue(
        time.nanoTime() - begin < Duration.ofMinutes(2).toNanos(), "it waits for what hangs");
  }

  @Test
  void whoWaitsForRoomWaitsNoLongerThanItAsked() {
    host.registry.close();
    host = house(false, ByteSize.parse("32KiB"));
    answered(ask("ada", null));
    hanging = PortCall.STORE_PARK;
    Generation eve = ask("eve", Duration.ofSeconds(1));
    Generation queued =
        host.registry.generate(
            GenerationRequest.of(new Prompt.Tokens(tokens(300, 1)))
                .deadline(Duration.ofSeconds(1))
                .maxTokens(2)
                .build());
    Generation cancelled = ask("bob", null);
    time.pause(Duration.ofMillis(500));
    cancelled.cancel();
    assertEquals(Kind.TIME_LIMIT, failure(eve, Duration.ofMillis(1600)).kind());
    assertTrue(queued.isDone(), "it waits for what hangs");
    assertEquals(Kind.CANCELLED, failure(cancelled, Duration.ZERO).kind());
  }

  @Test
  void aCloseDoesNotWaitForADrain() {
    time.pause(Duration.ofSeconds(1));
    hanging = PortCall.FORWARD;
    ask("ada", null);
    time.pause(Duration.ofSeconds(1));
    List<Throwable> ends = swapping(SwapOptions.builder().drainTimeout(HOUR).build());
    time.pause(Duration.ofSeconds(1));
    Duration took = closing();
    assertTrue(took.compareTo(Duration.ofSeconds(40)) < 0, took::toString);
    time.pause(Duration.ofSeconds(1));
    assertEquals(1, ends.size());
    assertInstanceOf(SwapCancelledException.class, ends.getFirst().getCause());
  }

  private List<Throwable> swapping(SwapOptions options) {
    List<Throwable> ends = new ArrayList<>();
    time.start(
        "swapping",
        () ->
            ends.add(
                assertThrows(
                    ModelSwapException.class,
                    () -> host.registry.swapWithRollback(Geometry.BETA.id(), options))));
    return ends;
  }

  @Test
  void threadsThatHangInTheStoreDoNotPileUp() {
    hanging = PortCall.STORE_LOAD;
    for (int i = 0; i < 100; i++) {
      ask("agent " + i, Duration.ofSeconds(1));
      time.pause(Duration.ofMillis(1_500));
    }
    long reading =
        time.living().stream().filter(thread -> thread.contains("semantic-restore")).count();
    assertTrue(reading < 50, () -> "threads that hang: " + reading);
    answered(ask("eve", null));
  }
}
