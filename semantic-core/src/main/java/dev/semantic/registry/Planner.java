package dev.semantic.registry;

import dev.semantic.memory.ByteSize;
import dev.semantic.memory.MemoryBudget;
import dev.semantic.model.ModelException;
import dev.semantic.model.ModelSpec;
import dev.semantic.swap.SwapEstimate;
import dev.semantic.swap.SwapOutcome;
import dev.semantic.swap.SwapPlan;
import dev.semantic.swap.SwapReport;
import dev.semantic.swap.SwapStrategy;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Decides how a swap will go, by the sizes of both models and the budget. */
final class Planner {
  private final MemoryBudget budget;
  private final ByteSize cacheBytes;
  private final Supplier<List<SwapReport>> history;
  private final BooleanSupplier busy;

  /**
   * For one registry.
   *
   * @param cacheBytes what the caches of all agents may take
   * @param history of past swaps, for estimates
   * @param busy whether requests are being answered now
   */
  Planner(
      MemoryBudget budget,
      ByteSize cacheBytes,
      Supplier<List<SwapReport>> history,
      BooleanSupplier busy) {
    this.busy = busy;
    this.budget = budget;
    this.cacheBytes = cacheBytes;
    this.history = history;
  }

  /**
   * The way from one model to another.
   *
   * @param old what serves; null if nothing does
   * @param next what is wanted; null for nothing
   * @throws ModelException if the budget does not hold it
   */
  SwapPlan plan(@Nullable ModelSpec old, @Nullable ModelSpec next) {
    if (next == null) {
      return new SwapPlan(
          SwapStrategy.UNLOAD,
          "nothing takes its place",
          Optional.empty(),
          ByteSize.ZERO,
          ByteSize.ZERO,
          Optional.empty());
    }
    ByteSize alone = needed(next);
    if (!budget.holds(alone)) {
      throw new ModelException(
          ModelException.Kind.DOES_NOT_FIT,
          "%s needs %s for its weights, %s for caches and %s to compute with, more than the budget of %s; raise the budget, or make the cache smaller"
              .formatted(
                  next.id(), next.weightSize(), cacheBytes, next.workingSize(), budget.total()));
    }
    if (old == null) {
      return planned(
          SwapStrategy.LOAD, next.weightSize() + " of weights, nothing serves yet", next, alone);
    }
    ByteSize working = larger(old.workingSize(), next.workingSize());
    ByteSize both = sum(old.weightSize(), next.weightSize(), cacheBytes, working);
    String sizes =
        "%s + %s of weights, %s of caches, %s to compute with, and a budget of %s"
            .formatted(old.weightSize(), next.weightSize(), cacheBytes, working, budget.total());
    return budget.holds(both)
        ? planned(SwapStrategy.MAKE_BEFORE_BREAK, "both fit: " + sizes, next, both)
        : planned(
            SwapStrategy.BREAK_BEFORE_MAKE,
            "only one fits: " + sizes,
            next,
            larger(alone, needed(old)));
  }

  /** Whether a model fits beside what is in use already. */
  boolean fitsBeside(long activeBytes, ModelSpec next) {
    return budget.holds(needed(next), new ByteSize(Math.max(0, activeBytes)));
  }

  private ByteSize needed(ModelSpec model) {
    return sum(model.weightSize(), cacheBytes, model.workingSize());
  }

  private SwapPlan planned(SwapStrategy how, String why, ModelSpec next, ByteSize needed) {
    List<SwapReport> before =
        history.get().stream()
            .filter(past -> past.outcome() == SwapOutcome.SWAPPED)
            .filter(past -> past.to().filter(next.id()::equals).isPresent())
            .filter(past -> past.plan().filter(plan -> plan.strategy() == how).isPresent())
            .toList();
    boolean now = busy.getAsBoolean();
    List<SwapReport> same = before.stream().filter(past -> past.busy() == now).toList();
    List<SwapReport> alike = same.isEmpty() ? before : same;
    Optional<SwapEstimate> estimate =
        alike.isEmpty()
            ? Optional.empty()
            : Optional.of(
                new SwapEstimate(
                    median(alike.stream().map(SwapReport::total).toList()),
                    median(alike.stream().map(SwapReport::blackout).toList()),
                    alike.size()));
    Optional<String> compute = Optional.of(next.compute());
    return new SwapPlan(how, why, compute, next.weightSize(), needed, estimate);
  }

  private static Duration median(Collection<Duration> times) {
    return times.stream().sorted().toList().get(times.size() / 2);
  }

  private static ByteSize larger(ByteSize one, ByteSize other) {
    return one.compareTo(other) < 0 ? other : one;
  }

  private static ByteSize sum(ByteSize... parts) {
    return Arrays.stream(parts).reduce(ByteSize.ZERO, ByteSize::plus);
  }
}
