package dev.semantic.registry;

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
import java.util.List;

/**
 * The only place where a swap changes state. Pure: facts in, the next state out; carrying it out is
 * somebody else's. No switch over patterns: the way back must not depend on linking one.
 */
final class SwapMachine {
  private SwapMachine() {}

  /**
   * The state after an event.
   *
   * @throws IllegalStateException if the event cannot happen in that state
   */
  static SwapState next(SwapState state, SwapEvent event) {
    if (state instanceof Idle) {
      return fromRest(state, event, true);
    }
    if (state instanceof Preparing(boolean serving)) {
      return fromPreparing(state, event, serving);
    }
    if (state instanceof Running(SwapPhase phase, SwapStrategy strategy)) {
      return fromRunning(state, event, phase, strategy);
    }
    if (state instanceof RollingBack(SwapPhase _, SwapStrategy strategy)) {
      return fromRollingBack(state, event, strategy);
    }
    return fromRest(state, event, false);
  }

  private static SwapState fromPreparing(SwapState state, SwapEvent event, boolean serving) {
    if (event instanceof Prepared(SwapStrategy strategy)) {
      return new Running(strategy.phases().get(1), checked(state, event, strategy, serving));
    }
    if (event instanceof Unchanged || event instanceof PhaseFailed) {
      return serving ? new Idle() : new Empty();
    }
    throw impossible(state, event);
  }

  private static SwapState fromRunning(
      SwapState state, SwapEvent event, SwapPhase phase, SwapStrategy strategy) {
    if (event instanceof Done) {
      return after(phase, strategy);
    }
    if (event instanceof PhaseFailed) {
      return new RollingBack(phase, strategy);
    }
    throw impossible(state, event);
  }

  private static SwapState fromRollingBack(
      SwapState state, SwapEvent event, SwapStrategy strategy) {
    if (event instanceof Done) {
      return strategy == SwapStrategy.LOAD ? new Empty() : new Idle();
    }
    if (event instanceof PhaseFailed) {
      return new Failed();
    }
    if (event instanceof RollbackImpossible) {
      return stayed(state, event, strategy);
    }
    throw impossible(state, event);
  }

  private static SwapState fromRest(SwapState state, SwapEvent event, boolean serving) {
    if (event instanceof Requested) {
      return new Preparing(serving);
    }
    throw impossible(state, event);
  }

  /** A strategy that takes an old model away needs one, and the other way round. */
  private static SwapStrategy checked(
      SwapState state, SwapEvent event, SwapStrategy strategy, boolean serving) {
    if ((strategy == SwapStrategy.LOAD) == serving) {
      throw impossible(state, event);
    }
    return strategy;
  }

  /** Only a model that was to come can be there already. */
  private static SwapState stayed(SwapState state, SwapEvent event, SwapStrategy strategy) {
    if (strategy == SwapStrategy.UNLOAD) {
      throw impossible(state, event);
    }
    return new Idle();
  }

  private static SwapState after(SwapPhase phase, SwapStrategy strategy) {
    List<SwapPhase> phases = strategy.phases();
    int index = phases.indexOf(phase);
    if (index < phases.size() - 1) {
      return new Running(phases.get(index + 1), strategy);
    }
    return strategy == SwapStrategy.UNLOAD ? new Empty() : new Idle();
  }

  private static IllegalStateException impossible(SwapState state, SwapEvent event) {
    return new IllegalStateException(event + " cannot happen in state " + state);
  }
}
