package dev.semantic.registry;

import dev.semantic.log.Log;
import dev.semantic.memory.ByteSize;
import dev.semantic.model.ModelId;
import dev.semantic.model.ModelSpec;
import dev.semantic.swap.DrainTimeoutException;
import dev.semantic.swap.ModelSwapException;
import dev.semantic.swap.SwapCancelledException;
import dev.semantic.swap.SwapOutcome;
import dev.semantic.swap.SwapPhase;
import dev.semantic.swap.SwapReport;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** How a swap that has ended is told of. */
record Verdict(SwapExecutor swap, SwapRecorder recorder) {
  SwapReport report(
      Optional<ModelId> from,
      @Nullable ModelId target,
      Optional<ModelSpec> serving,
      ByteSize before,
      ByteSize after) {
    return new SwapReport(
        recorder.id(),
        recorder.started(),
        from,
        Optional.ofNullable(target),
        outcome(),
        serving.map(ModelSpec::id),
        recorder.plan(),
        recorder.phases(),
        recorder.total(),
        recorder.blackout(),
        before,
        after,
        recorder.reclaim(),
        recorder.parkedAgents(),
        recorder.restoredAgents(),
        error(),
        recorder.busy());
  }

  /** Why it failed, and what failed besides. */
  private Optional<String> error() {
    Optional<String> why = Optional.ofNullable(swap.failure()).map(Verdict::message);
    return why.isPresent() && recorder.notFreed().isPresent()
        ? why.map(text -> text + "; besides, " + recorder.notFreed().orElseThrow())
        : why.or(recorder::notFreed);
  }

  private SwapOutcome outcome() {
    Throwable failure = swap.failure();
    if (failure == null) {
      return swap.unchanged() ? SwapOutcome.UNCHANGED : SwapOutcome.SWAPPED;
    }
    if (swap.swapped()) {
      return SwapOutcome.SWAPPED; // it failed, but could not be stopped any more
    }
    if (swap.rollbackFailure() != null) {
      return SwapOutcome.FAILED;
    }
    if (failure instanceof SwapCancelledException) {
      return SwapOutcome.CANCELLED;
    }
    boolean untouched =
        swap.failedPhase() == SwapPhase.PREPARING || failure instanceof DrainTimeoutException;
    return untouched ? SwapOutcome.REFUSED : SwapOutcome.ROLLED_BACK;
  }

  /** The report of a swap that went well; the exception for one that did not. */
  @SuppressWarnings("ReferenceEquality") // a stranger's exception need not be equal to itself
  SwapReport judged(SwapReport report, @Nullable ModelSpec serving) throws ModelSwapException {
    Throwable failure = swap.failure();
    if (failure == null) {
      return report;
    }
    Throwable second = swap.rollbackFailure();
    if (second != null && second != failure) {
      failure.addSuppressed(second);
    }
    String goesOn =
        report.serving().map(id -> id + " goes on serving").orElse("no model serves now");
    throw new ModelSwapException(
        "%s failed while %s: %s (%s)"
            .formatted(
                report.to().map(id -> "The swap to " + id).orElse("The unload"),
                swap.failedPhase(),
                message(failure),
                goesOn),
        failure,
        swap.failedPhase(),
        serving,
        report);
  }

  static String message(Throwable failure) {
    return Log.reason(failure);
  }
}
