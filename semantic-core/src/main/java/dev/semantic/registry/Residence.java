package dev.semantic.registry;

import dev.semantic.engine.ArrivalPolicy;
import dev.semantic.journal.SwapEntry;
import dev.semantic.log.Log;
import dev.semantic.memory.ByteSize;
import dev.semantic.model.ModelId;
import dev.semantic.model.ModelSpec;
import dev.semantic.swap.ModelSwapException;
import dev.semantic.swap.SwapListener;
import dev.semantic.swap.SwapOutcome;
import dev.semantic.swap.SwapReport;
import dev.semantic.swap.SwapState;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.MDC;

/** Which model lives here. Changed by whoever has the turn; how it stands, anybody may read. */
final class Residence {
  private static final Log LOG = Log.of(Residence.class);
  private static final Duration BLACKOUT_UNLESS_KNOWN = Duration.ofSeconds(1);

  private final SwapExecution.Tools tools;
  private final List<SwapListener> listeners;
  private final History history;

  private SwapState state = new SwapState.Empty();
  private @Nullable Resident resident;
  private volatile Standing standing;

  Residence(SwapExecution.Tools tools, List<SwapListener> listeners, History history) {
    this.tools = tools;
    this.listeners = List.copyOf(listeners);
    this.history = history;
    this.standing = Standing.atFirst(tools.timeline().now());
  }

  /** The model that serves; during a blackout the one that served last. */
  Optional<ModelSpec> serving() {
    return tools.engine().serving().or(() -> Optional.ofNullable(standing.last()));
  }

  boolean isChanging() {
    return standing.underWay() != null;
  }

  /** Looks again if a swap has begun or ended meanwhile: what is told was true at one moment. */
  @SuppressWarnings("ReferenceEquality") // every change of it is another one
  RegistryStatus status() {
    while (true) {
      Standing now = standing;
      RegistryStatus status = now.status(tools.engine(), tools.caches().usage());
      if (now == standing) {
        return status;
      }
    }
  }

  /** Exchanges the model, for whoever has the turn. */
  SwapReport change(@Nullable ModelId target, SwapOptions options, Cancellation cancellation)
      throws ModelSwapException {
    SwapNotes notes = new SwapNotes(tools.timeline(), listeners);
    MDC.put("swap", notes.id());
    try {
      return change(target, options, cancellation, notes);
    } finally {
      if (isChanging()) { // a defect of ours: nobody else throws that far
        standing = standing.brokenOff(residing(), tools.timeline().now());
      }
      MDC.remove("swap");
    }
  }

  private SwapReport change(
      @Nullable ModelId target, SwapOptions options, Cancellation cancellation, SwapNotes notes)
      throws ModelSwapException {
    tools.engine().revive();
    Optional<ModelSpec> before = serving();
    SwapExecution swap = new SwapExecution(tools, options, notes, cancellation, target, resident);
    ByteSize activeBefore = activeBytes(swap.hands());
    notes.busy(tools.engine().isBusy());
    standing = standing.changing(notes);
    swap.logbook()
        .begun(
            new SwapEntry(
                notes.id(),
                notes.started(),
                before.map(ModelSpec::tag),
                Optional.ofNullable(target)));
    tools.engine().expect(target, options.arrivals(), retryAfter(target));
    try {
      state = swap.run(state);
    } finally {
      settle(swap, target);
      tools.engine().expect(null, ArrivalPolicy.QUEUE, Duration.ZERO); // until the turn is over
      swap.logbook().ended();
    }
    swap.awaitAgents();
    Verdict verdict = new Verdict(swap, notes);
    SwapReport report =
        verdict.report(
            before.map(ModelSpec::id),
            target,
            Optional.ofNullable(residing()),
            activeBefore,
            activeBytes(swap.hands()));
    history.add(report);
    standing = standing.ended(report, residing(), tools.timeline().now());
    notes.finished(report);
    if (swap.wasInterrupted()) {
      Thread.currentThread().interrupt();
    }
    return verdict.judged(report, residing());
  }

  private @Nullable ModelSpec residing() {
    return resident == null ? null : resident.spec();
  }

  /** The blackout that swaps to this model had before. */
  private Duration retryAfter(@Nullable ModelId target) {
    return history.all().reversed().stream()
        .filter(past -> past.to().equals(Optional.ofNullable(target)))
        .filter(past -> past.outcome() == SwapOutcome.SWAPPED)
        .map(SwapReport::blackout)
        .findFirst()
        .orElse(BLACKOUT_UNLESS_KNOWN);
  }

  /** Takes over the model that came out, and lets go of the other's files. */
  private void settle(SwapExecution swap, @Nullable ModelId target) {
    Resident candidate = swap.candidate();
    Resident leaving = swap.swapped() ? resident : candidate; // also one that was not needed
    if (swap.swapped()) {
      resident = target == null ? null : candidate;
    } else if (resident != null && swap.rollbackFailure() != null) {
      letGo(resident, swap.hands()); // it could not be brought back
      resident = null;
    }
    if (leaving != null) {
      letGo(leaving, swap.hands());
    }
  }

  /** Nobody lives here any more. */
  void vacate(Hands hands) {
    standing = standing.vacated();
    Resident leaving = resident;
    resident = null;
    if (leaving != null) {
      letGo(leaving, hands);
    }
    attempt(hands, "giving memory back", () -> tools.runtime().memory().releaseCached());
  }

  /** Nobody lives here any more, but what does not come back is not taken from under its feet. */
  void abandon() {
    standing = standing.vacated();
    Resident left = resident;
    resident = null;
    if (left != null) {
      LOG.error(
          "{} stays in memory: a call of it or of the store has not come back", left.spec().id());
    }
  }

  /** Closes a model's files, and what may still be loaded of it. */
  private static void letGo(Resident leaving, Hands hands) {
    attempt(hands, "unloading " + leaving.spec().id(), leaving::unload);
    attempt(hands, "closing the files of " + leaving.spec().id(), leaving.prepared()::close);
  }

  /** For what must not keep the rest from being done. */
  private static void attempt(Hands hands, String what, Runnable action) {
    try {
      hands.run(what, action);
    } catch (Throwable t) {
      LOG.warn("Failed while {}", what, t);
    }
  }

  /** Zero if the runtime cannot tell: a figure in a report is not worth a swap. */
  private ByteSize activeBytes(Hands hands) {
    try {
      return new ByteSize(
          hands.call("looking at memory", () -> tools.runtime().memory().activeBytes(), l -> {}));
    } catch (Throwable t) {
      LOG.warn("The runtime cannot tell how much memory is active", t);
      return ByteSize.ZERO;
    }
  }
}
