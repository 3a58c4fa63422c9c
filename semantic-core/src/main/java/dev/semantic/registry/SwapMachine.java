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
 * somebody else's.
 */
final class SwapMachine {
  private SwapMachine() {}

  /**
   * The state after an event.
   *
   * @throws IllegalStateException if the event cannot happen in that state
   */
  static SwapState next(SwapState state, SwapEvent event) {
    return switch (state) {
      case Empty() -> fromRest(state, event, false);
      case Failed() -> fromRest(state, event, false);
      case Idle() -> fromRest(state, event, true);
      case Preparing(boolean serving) ->
          switch (event) {
            case Prepared(SwapStrategy strategy) ->
                new Running(strategy.phases().get(1), checked(state, event, strategy, serving));
            case Unchanged() -> serving ? new Idle() : new Empty();
            case PhaseFailed() -> serving ? new Idle() : new Empty();
            case Requested() -> throw impossible(state, event);
            case Done() -> throw impossible(state, event);
            case RollbackImpossible() -> throw impossible(state, event);
          };
      case Running(SwapPhase phase, SwapStrategy strategy) ->
          switch (event) {
            case Done() -> after(phase, strategy);
            case PhaseFailed() -> new RollingBack(phase, strategy);
            case Unchanged() -> throw impossible(state, event);
            case Requested() -> throw impossible(state, event);
            case Prepared(SwapStrategy again) -> throw impossible(state, event);
            case RollbackImpossible() -> throw impossible(state, event);
          };
      case RollingBack(SwapPhase failed, SwapStrategy strategy) ->
          switch (event) {
            case Done() -> strategy == SwapStrategy.LOAD ? new Empty() : new Idle();
            case PhaseFailed() -> new Failed();
            case Unchanged() -> throw impossible(state, event);
            case RollbackImpossible() -> stayed(state, event, strategy);
            case Requested() -> throw impossible(state, event);
            case Prepared(SwapStrategy again) -> throw impossible(state, event);
          };
    };
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
