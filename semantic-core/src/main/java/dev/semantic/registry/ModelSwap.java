package dev.semantic.registry;

import dev.semantic.memory.ByteSize;
import dev.semantic.model.ModelId;
import dev.semantic.swap.ModelSwapException;
import dev.semantic.swap.SwapCancelledException;
import dev.semantic.swap.SwapPhase;
import dev.semantic.swap.SwapReport;
import dev.semantic.timeline.Monitor;
import dev.semantic.timeline.ThreadFrame;
import dev.semantic.timeline.ThreadHandle;
import dev.semantic.timeline.Timeline;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * A swap on a thread of its own, from when it was asked for to its end: it may have to wait for its
 * turn first. Any thread.
 */
public final class ModelSwap {
  /** Waits for the turn, says so by {@link #begins}, and swaps. */
  interface Change {
    SwapReport make(ModelSwap swap) throws ModelSwapException;
  }

  private final ModelId target;
  private final Monitor monitor;
  private final Task task;
  private final ThreadHandle thread;
  private @Nullable Permit permit; // this and what follows under the monitor
  private @Nullable SwapRecorder recorder;
  private @Nullable SwapReport report;
  private @Nullable Throwable failure;
  private boolean cancelled;
  private boolean ended;

  ModelSwap(Timeline timeline, ModelId target, Change change) {
    this.target = target;
    this.monitor = timeline.monitor();
    this.task = new Task(change);
    this.thread = ThreadFrame.once(timeline, "semantic-swap-to " + target, task);
  }

  private final class Task extends CompletableFuture<SwapReport> implements ThreadFrame.Work {
    private final Change change;
    private @Nullable SwapReport made;

    private Task(Change change) {
      this.change = change;
    }

    @Override
    public void run() throws ModelSwapException {
      made = change.make(ModelSwap.this);
    }

    @Override
    public void ended(@Nullable Throwable thrown) {
      monitor.lock();
      try {
        report = made;
        failure = thrown;
        ended = true;
        monitor.signalAll();
      } finally {
        monitor.unlock();
      }
      if (thrown == null) {
        complete(made);
      } else {
        completeExceptionally(thrown);
      }
    }

    @Override
    public boolean cancel(boolean mayInterrupt) {
      ModelSwap.this.cancel();
      return super.cancel(mayInterrupt);
    }

    @Override
    public <U> CompletableFuture<U> newIncompleteFuture() {
      return new CompletableFuture<>();
    }
  }

  /** It has its turn. */
  void begins(Permit its, SwapRecorder tells) {
    boolean calledOff;
    monitor.lock();
    try {
      permit = its;
      recorder = tells;
      calledOff = cancelled;
    } finally {
      monitor.unlock();
    }
    if (calledOff) {
      its.request("it was called off before it began");
    }
  }

  public ModelId target() {
    return target;
  }

  /** In which phase it is; empty while it waits for its turn, and when it has ended. */
  public Optional<SwapPhase> phase() {
    SwapRecorder present = recorder();
    return isDone() || present == null ? Optional.empty() : Optional.ofNullable(present.current());
  }

  /** How much of the new model is read ahead (while preparing) or in memory (while loading). */
  public ByteSize loaded() {
    SwapRecorder present = recorder();
    return present == null ? ByteSize.ZERO : present.loaded();
  }

  /** How much there is to read or to load; zero until that is known. */
  public ByteSize toLoad() {
    SwapRecorder present = recorder();
    return present == null ? ByteSize.ZERO : present.toLoad();
  }

  private @Nullable SwapRecorder recorder() {
    monitor.lock();
    try {
      return recorder;
    } finally {
      monitor.unlock();
    }
  }

  /** Whether it has ended, well or not. */
  public boolean isDone() {
    monitor.lock();
    try {
      return ended;
    } finally {
      monitor.unlock();
    }
  }

  /**
   * Calls it off, in whichever state it is: whoever awaits it gets a {@link ModelSwapException}, or
   * a {@link SwapCancelledException} if it had not begun. Does not wait for that.
   *
   * @return false if it has ended, or it is too late: the new model serves already
   */
  public boolean cancel() {
    Permit present;
    monitor.lock();
    try {
      if (ended) {
        return false;
      }
      cancelled = true;
      present = permit;
    } finally {
      monitor.unlock();
    }
    if (present != null) {
      return present.request("it was called off");
    }
    thread.interrupt(); // it waits for its turn
    return true;
  }

  /**
   * Waits for the end. An interrupt ends the wait only.
   *
   * @throws ModelSwapException if the target can't serve
   * @throws SwapCancelledException if it was called off before it began
   * @throws IllegalStateException if it could not begin: another one is under way, the registry is
   *     closed
   */
  public SwapReport await() throws ModelSwapException, InterruptedException {
    monitor.lock();
    try {
      while (!ended) {
        monitor.await();
      }
      if (failure == null) {
        return Objects.requireNonNull(report);
      }
      if (failure instanceof ModelSwapException e) {
        throw e;
      }
      if (failure instanceof RuntimeException e) {
        throw e;
      }
      if (failure instanceof Error e) {
        throw e;
      }
      throw new IllegalStateException("The swap ended for another reason", failure);
    } finally {
      monitor.unlock();
    }
  }

  /**
   * The report, when it is there; it fails with what {@link #await} throws, and to cancel it is to
   * cancel the swap. What depends on it runs on the swap's thread, after others have their turn.
   */
  public CompletableFuture<SwapReport> toCompletableFuture() {
    return task;
  }
}
