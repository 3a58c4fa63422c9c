package dev.semantic.registry;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.semantic.registry.SwapEvent.Done;
import dev.semantic.registry.SwapEvent.PhaseFailed;
import dev.semantic.registry.SwapEvent.Prepared;
import dev.semantic.registry.SwapEvent.Requested;
import dev.semantic.registry.SwapEvent.RollbackImpossible;
import dev.semantic.registry.SwapEvent.Unchanged;
import dev.semantic.registry.SwapState.Empty;
import dev.semantic.registry.SwapState.Failed;
import dev.semantic.registry.SwapState.Idle;
import dev.semantic.registry.SwapState.Preparing;
import dev.semantic.registry.SwapState.RollingBack;
import dev.semantic.registry.SwapState.Running;
import dev.semantic.swap.SwapPhase;
import dev.semantic.swap.SwapStrategy;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The whole table: every state, every event. */
class SwapMachineTest {
  /** What is not here is impossible. */
  private static final String TABLE =
      """
      EMPTY                           Requested                  PREPARING
      IDLE                            Requested                  PREPARING serving
      FAILED                          Requested                  PREPARING
      PREPARING                       Prepared LOAD              LOADING of LOAD
      PREPARING                       PhaseFailed                EMPTY
      PREPARING                       Unchanged                  EMPTY
      PREPARING serving               Prepared MAKE_BEFORE_BREAK LOADING of MAKE_BEFORE_BREAK
      PREPARING serving               Prepared BREAK_BEFORE_MAKE DRAINING of BREAK_BEFORE_MAKE
      PREPARING serving               Prepared UNLOAD            DRAINING of UNLOAD
      PREPARING serving               PhaseFailed                IDLE
      PREPARING serving               Unchanged                  IDLE
      LOADING of LOAD                 Done                       ACTIVATING of LOAD
      LOADING of LOAD                 PhaseFailed                ROLLING_BACK of LOAD
      ACTIVATING of LOAD              Done                       IDLE
      ACTIVATING of LOAD              PhaseFailed                ROLLING_BACK of LOAD
      LOADING of MAKE_BEFORE_BREAK    Done                       DRAINING of MAKE_BEFORE_BREAK
      LOADING of MAKE_BEFORE_BREAK    PhaseFailed                ROLLING_BACK of MAKE_BEFORE_BREAK
      DRAINING of MAKE_BEFORE_BREAK   Done                       PARKING of MAKE_BEFORE_BREAK
      DRAINING of MAKE_BEFORE_BREAK   PhaseFailed                ROLLING_BACK of MAKE_BEFORE_BREAK
      PARKING of MAKE_BEFORE_BREAK    Done                       ACTIVATING of MAKE_BEFORE_BREAK
      PARKING of MAKE_BEFORE_BREAK    PhaseFailed                ROLLING_BACK of MAKE_BEFORE_BREAK
      ACTIVATING of MAKE_BEFORE_BREAK Done                       UNLOADING of MAKE_BEFORE_BREAK
      ACTIVATING of MAKE_BEFORE_BREAK PhaseFailed                ROLLING_BACK of MAKE_BEFORE_BREAK
      UNLOADING of MAKE_BEFORE_BREAK  Done                       IDLE
      UNLOADING of MAKE_BEFORE_BREAK  PhaseFailed                ROLLING_BACK of MAKE_BEFORE_BREAK
      DRAINING of BREAK_BEFORE_MAKE   Done                       PARKING of BREAK_BEFORE_MAKE
      DRAINING of BREAK_BEFORE_MAKE   PhaseFailed                ROLLING_BACK of BREAK_BEFORE_MAKE
      PARKING of BREAK_BEFORE_MAKE    Done                       UNLOADING of BREAK_BEFORE_MAKE
      PARKING of BREAK_BEFORE_MAKE    PhaseFailed                ROLLING_BACK of BREAK_BEFORE_MAKE
      UNLOADING of BREAK_BEFORE_MAKE  Done                       LOADING of BREAK_BEFORE_MAKE
      UNLOADING of BREAK_BEFORE_MAKE  PhaseFailed                ROLLING_BACK of BREAK_BEFORE_MAKE
      LOADING of BREAK_BEFORE_MAKE    Done                       ACTIVATING of BREAK_BEFORE_MAKE
      LOADING of BREAK_BEFORE_MAKE    PhaseFailed                ROLLING_BACK of BREAK_BEFORE_MAKE
      ACTIVATING of BREAK_BEFORE_MAKE Done                       IDLE
      ACTIVATING of BREAK_BEFORE_MAKE PhaseFailed                ROLLING_BACK of BREAK_BEFORE_MAKE
      DRAINING of UNLOAD              Done                       PARKING of UNLOAD
      DRAINING of UNLOAD              PhaseFailed                ROLLING_BACK of UNLOAD
      PARKING of UNLOAD               Done                       UNLOADING of UNLOAD
      PARKING of UNLOAD               PhaseFailed                ROLLING_BACK of UNLOAD
      UNLOADING of UNLOAD             Done                       EMPTY
      UNLOADING of UNLOAD             PhaseFailed                ROLLING_BACK of UNLOAD
      ROLLING_BACK of LOAD            Done                       EMPTY
      ROLLING_BACK of LOAD            PhaseFailed                FAILED
      ROLLING_BACK of LOAD            RollbackImpossible                     IDLE
      ROLLING_BACK of MAKE_BEFORE_BREAK RollbackImpossible                   IDLE
      ROLLING_BACK of BREAK_BEFORE_MAKE RollbackImpossible                   IDLE
      ROLLING_BACK of MAKE_BEFORE_BREAK Done                     IDLE
      ROLLING_BACK of MAKE_BEFORE_BREAK PhaseFailed              FAILED
      ROLLING_BACK of BREAK_BEFORE_MAKE Done                     IDLE
      ROLLING_BACK of BREAK_BEFORE_MAKE PhaseFailed              FAILED
      ROLLING_BACK of UNLOAD          Done                       IDLE
      ROLLING_BACK of UNLOAD          PhaseFailed                FAILED
      """;

  private static final Pattern ROW =
      Pattern.compile(
          "(.*?) +(Requested|Prepared \\w+|Done|PhaseFailed|RollbackImpossible|Unchanged) +(.*)");

  @Test
  void everyStateAnswersEveryEventAsTheTableSays() {
    Map<String, String> expected = new TreeMap<>();
    for (String line : TABLE.lines().toList()) {
      Matcher row = ROW.matcher(line);
      assertEquals(true, row.matches(), () -> "not a row: " + line);
      expected.put(row.group(1) + " + " + row.group(2), row.group(3));
    }
    Map<String, String> actual = new TreeMap<>();
    for (SwapState state : everyState()) {
      for (SwapEvent event : everyEvent()) {
        try {
          actual.put(name(state) + " + " + name(event), name(SwapMachine.next(state, event)));
        } catch (IllegalStateException impossible) {
          assertEquals(event + " cannot happen in state " + state, impossible.getMessage());
        }
      }
    }
    assertEquals(lines(expected), lines(actual));
  }

  private static String lines(Map<String, String> table) {
    StringBuilder text = new StringBuilder();
    table.forEach((from, to) -> text.append(from).append(" = ").append(to).append('\n'));
    return text.toString();
  }

  @Test
  void anImpossibleEventThrowsAtOnce() {
    assertThrows(IllegalStateException.class, () -> SwapMachine.next(new Idle(), new Done()));
  }

  @Test
  void everyStrategyEndsWhereItShould() {
    for (SwapStrategy strategy : SwapStrategy.values()) {
      SwapState state = new Preparing(strategy != SwapStrategy.LOAD);
      List<SwapPhase> ran = new ArrayList<>(List.of(SwapPhase.PREPARING));
      state = SwapMachine.next(state, new Prepared(strategy));
      while (state instanceof Running(SwapPhase phase, SwapStrategy same)) {
        assertEquals(strategy, same);
        ran.add(phase);
        state = SwapMachine.next(state, new Done());
      }
      assertEquals(strategy.phases(), ran);
      assertEquals(strategy == SwapStrategy.UNLOAD ? new Empty() : new Idle(), state);
    }
  }

  /** All that can be reached: a phase that a strategy does not have is no state of it. */
  static List<SwapState> everyState() {
    List<SwapState> all =
        new ArrayList<>(
            List.of(
                new Empty(), new Idle(), new Failed(), new Preparing(true), new Preparing(false)));
    for (SwapStrategy strategy : SwapStrategy.values()) {
      strategy.phases().stream().skip(1).forEach(phase -> all.add(new Running(phase, strategy)));
      all.add(new RollingBack(SwapPhase.LOADING, strategy));
    }
    return all;
  }

  static List<SwapEvent> everyEvent() {
    List<SwapEvent> all =
        new ArrayList<>(
            List.of(
                new Requested(),
                new Done(),
                new PhaseFailed(),
                new RollbackImpossible(),
                new Unchanged()));
    for (SwapStrategy strategy : SwapStrategy.values()) {
      all.add(new Prepared(strategy));
    }
    return all;
  }

  static String name(SwapState state) {
    return switch (state) {
      case Empty() -> "EMPTY";
      case Idle() -> "IDLE";
      case Failed() -> "FAILED";
      case Preparing(boolean serving) -> serving ? "PREPARING serving" : "PREPARING";
      case Running(SwapPhase phase, SwapStrategy strategy) -> phase + " of " + strategy;
      case RollingBack(SwapPhase failed, SwapStrategy strategy) -> "ROLLING_BACK of " + strategy;
    };
  }

  static String name(SwapEvent event) {
    return switch (event) {
      case Requested() -> "Requested";
      case Done() -> "Done";
      case PhaseFailed() -> "PhaseFailed";
      case RollbackImpossible() -> "RollbackImpossible";
      case Unchanged() -> "Unchanged";
      case Prepared(SwapStrategy strategy) -> "Prepared " + strategy;
    };
  }
}
