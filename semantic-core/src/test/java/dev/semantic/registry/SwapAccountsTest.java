package dev.semantic.registry;

import static dev.semantic.scripted.ScriptedHost.tokens;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.model.ModelId;
import dev.semantic.scripted.Fault;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.PortCall;
import dev.semantic.scripted.Script;
import dev.semantic.scripted.ScriptedHost;
import dev.semantic.swap.ModelSwapException;
import dev.semantic.swap.SwapListener;
import dev.semantic.swap.SwapOutcome;
import dev.semantic.swap.SwapPhase;
import dev.semantic.swap.SwapPlan;
import dev.semantic.swap.SwapReport;
import dev.semantic.swap.SwapStrategy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.slf4j.MDC;

/** What a swap tells: listeners, the flight recorder, the log's context, its history. */
class SwapAccountsTest {
  private static final ModelId ALPHA = Geometry.ALPHA.id();
  private static final ModelId BETA = Geometry.BETA.id();

  @TempDir Path directory;

  static Stream<Arguments> everyPhase() {
    return Stream.of(SwapStrategy.MAKE_BEFORE_BREAK, SwapStrategy.BREAK_BEFORE_MAKE)
        .flatMap(
            strategy -> strategy.phases().stream().map(phase -> Arguments.of(strategy, phase)));
  }

  @ParameterizedTest(name = "{0}, {1}")
  @MethodSource("everyPhase")
  void whateverPhaseAGuardRefusesTheOldModelServes(SwapStrategy strategy, SwapPhase refused)
      throws Exception {
    try (ScriptedHost host =
        ScriptedHost.serving(
            Geometry.ALPHA,
            strategy == SwapStrategy.MAKE_BEFORE_BREAK ? ScriptedHost.ROOMY : ScriptedHost.TIGHT)) {
      host.ask("ada", tokens(30, 1));
      SwapOptions guarded =
          SwapOptions.builder()
              .guard(
                  phase -> {
                    if (phase == refused) {
                      throw new IllegalStateException("not now");
                    }
                  })
              .build();
      var failed =
          assertThrows(
              ModelSwapException.class, () -> host.registry.swapWithRollback(BETA, guarded));
      assertEquals(refused, failed.phase());
      assertEquals(Optional.of(ALPHA), failed.report().serving());
      assertEquals(Geometry.ALPHA.tag(), host.ask("bob", tokens(9, 1)).model());
      assertEquals(1, host.runtime.openModels());
      assertEquals(SwapOutcome.SWAPPED, host.registry.swapWithRollback(BETA).outcome());
    }
  }

  @Test
  void theWayBackIsTriedAsOftenAsAsked() throws Exception {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA, ScriptedHost.TIGHT)) {
      host.script.failForGood(PortCall.LOAD, 1, Fault.DECLARED);
      SwapOptions options = SwapOptions.builder().rollbackAttempts(3, Duration.ofMillis(1)).build();
      var failed =
          assertThrows(
              ModelSwapException.class, () -> host.registry.swapWithRollback(BETA, options));
      assertEquals(SwapOutcome.FAILED, failed.report().outcome());
      assertEquals(1 + 3, host.script.count(PortCall.LOAD));
      host.script.heal();
      host.registry.swapWithRollback(BETA);
      assertEquals(Geometry.BETA.tag(), host.ask("bob", tokens(9, 1)).model());
    }
  }

  @Test
  void aWayBackThatWorksTheSecondTimeIsGoodEnough() throws Exception {
    AtomicReference<Script> script = new AtomicReference<>();
    SwapListener healer =
        new SwapListener() {
          @Override
          public void phase(SwapPhase phase) {
            if (phase == SwapPhase.ROLLING_BACK) {
              Objects.requireNonNull(script.get()).fail(PortCall.LOAD, 1, Fault.DECLARED);
            }
          }
        };
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA, ScriptedHost.TIGHT, healer)) {
      script.set(host.script);
      host.script.failForGood(PortCall.LOAD, 1, Fault.DECLARED);
      SwapOptions options = SwapOptions.builder().rollbackAttempts(2, Duration.ofMillis(1)).build();
      var failed =
          assertThrows(
              ModelSwapException.class, () -> host.registry.swapWithRollback(BETA, options));
      assertEquals(SwapOutcome.ROLLED_BACK, failed.report().outcome());
      assertEquals(Geometry.ALPHA.tag(), host.ask("bob", tokens(9, 1)).model());
    }
  }

  @Test
  void listenersHearThePlanEveryPhaseTheBytesAndTheEnd() throws Exception {
    List<String> heard = new ArrayList<>();
    SwapListener listener =
        new SwapListener() {
          @Override
          public void planned(SwapPlan plan) {
            heard.add("planned " + plan.strategy());
          }

          @Override
          public void phase(SwapPhase phase) {
            heard.add(phase + " " + (MDC.get("swap") != null));
          }

          @Override
          public void finished(SwapReport report) {
            heard.add("finished " + report.outcome() + " " + report.id().equals(MDC.get("swap")));
          }
        };
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA, ScriptedHost.ROOMY, listener)) {
      heard.clear();
      host.registry.swapWithRollback(BETA);
      assertEquals(
          List.of(
              "PREPARING true",
              "planned MAKE_BEFORE_BREAK",
              "LOADING true",
              "DRAINING true",
              "PARKING true",
              "ACTIVATING true",
              "UNLOADING true",
              "finished SWAPPED true"),
          heard);
      assertEquals(null, MDC.get("swap"));
    }
  }

  @Test
  void theFlightRecorderHasEveryPhaseWithBytesAndAgents() throws Exception {
    List<RecordedEvent> events;
    try (Recording recording = new Recording()) {
      recording.enable("dev.semantic.Swap");
      recording.enable("dev.semantic.SwapPhase");
      recording.start();
      try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA, ScriptedHost.TIGHT)) {
        host.ask("ada", tokens(30, 1));
        host.registry.swapWithRollback(BETA);
      }
      Path file = directory.resolve("swap.jfr");
      recording.dump(file);
      events = RecordingFile.readAllEvents(file);
    }
    RecordedEvent swap =
        events.stream()
            .filter(event -> event.getEventType().getName().equals("dev.semantic.Swap"))
            .filter(event -> "alpha".equals(event.getString("from")))
            .findFirst()
            .orElseThrow();
    assertEquals("beta", swap.getString("serving"));
    assertEquals(1_000_000, swap.getLong("reclaimed"));
    String id = swap.getString("swap");
    List<String> phases =
        events.stream()
            .filter(event -> event.getEventType().getName().equals("dev.semantic.SwapPhase"))
            .filter(event -> event.getString("swap").equals(id))
            .map(
                event ->
                    "%s %d bytes %d agents"
                        .formatted(
                            event.getString("phase"),
                            event.getLong("bytes"),
                            event.getInt("agents")))
            .toList();
    assertEquals(
        List.of(
            "PREPARING 2000000 bytes 0 agents",
            "DRAINING 0 bytes 0 agents",
            "PARKING 0 bytes 1 agents",
            "UNLOADING 1000000 bytes 0 agents",
            "LOADING 2000000 bytes 0 agents",
            "ACTIVATING 0 bytes 0 agents"),
        phases);
    assertTrue(events.size() >= 7);
  }

  @Test
  void theHistoryIsBounded() throws Exception {
    try (ScriptedHost host =
        new ScriptedHost(ScriptedHost.ROOMY, builder -> builder.historyLength(2))) {
      host.registry.load(ALPHA);
      host.registry.swapWithRollback(BETA);
      host.registry.swapWithRollback(ALPHA);
      assertEquals(
          List.of(Optional.of(BETA), Optional.of(ALPHA)),
          host.registry.history().stream().map(SwapReport::to).toList());
    }
  }
}
