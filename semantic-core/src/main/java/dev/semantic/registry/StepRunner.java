package dev.semantic.registry;

import dev.semantic.log.Log;
import dev.semantic.swap.PhaseTimeoutException;
import dev.semantic.timeline.Monitor;
import dev.semantic.timeline.Nanos;
import dev.semantic.timeline.ThreadFrame;
import dev.semantic.timeline.ThreadHandle;
import dev.semantic.timeline.Timeline;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.MDC;

/**
 * Carries out the steps of a swap that call a backend or a store, each on a thread of its own: one
 * that never comes back costs the step, not the registry.
 */
final class StepRunner {
  private static final Log LOG = Log.of(StepRunner.class);

  /** Is there betimes: for want of memory to make it, what a step has made would be lost. */
  private static final Runnable NOBODY =
      new Runnable() {
        @Override
        public void run() {}
      };

  /** How long a swap may take to end once the registry is being closed. */
  private static final Duration LAST_STEPS = Duration.ofSeconds(10);

  /** How long each step of it may still take when those are over. */
  private static final Duration ONE_MORE = Duration.ofSeconds(1);

  private static final ThreadLocal<Boolean> AT_WORK = ThreadLocal.withInitial(() -> false);

  private final Timeline timeline;
  private final Duration patience;
  private final Permit permit;
  private volatile boolean interrupted;
  private long hurriedUntil; // once it is hurried; by the swapping thread
  private boolean hurried;

  /**
   * For one swap.
   *
   * @param patience how long one step may take
   * @param permit is told when the swapping thread is interrupted
   */
  StepRunner(Timeline timeline, Duration patience, Permit permit) {
    this.timeline = timeline;
    this.patience = patience;
    this.permit = permit;
  }

  /** Whether the current thread carries out a step of a swap. */
  static boolean atWork() {
    return AT_WORK.get();
  }

  /** The current thread carries out a step of a swap, or tells of one, until it ends. */
  static void begin(@Nullable Map<String, String> context) {
    if (context != null) {
      MDC.setContextMap(context);
    }
    AT_WORK.set(true);
  }

  /**
   * Does one step that belongs to no swap. An interrupt of the waiting thread is kept, and shortens
   * nothing.
   *
   * @throws PhaseTimeoutException if it takes too long
   */
  static <T> T within(Timeline timeline, Duration patience, String what, Callable<T> step) {
    StepRunner stepRunner = new StepRunner(timeline, patience, new Permit());
    try {
      return stepRunner.call(what, step, late -> {});
    } finally {
      if (stepRunner.wasInterrupted()) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** Does a step that gives nothing. */
  void run(String what, Runnable step) {
    call(what, callable(step), nothing -> {});
  }

  private static Callable<Boolean> callable(Runnable step) {
    return () -> {
      step.run();
      return true;
    };
  }

  /**
   * Does a step and waits for it. An interrupt of the waiting thread calls the swap off, but the
   * step comes to its own end: what it holds is the runtime's.
   *
   * @param late gets the result of a step that came back after all, when nobody wants it any more
   * @throws PhaseTimeoutException if it takes too long
   * @throws RuntimeException whatever the step throws
   */
  <T> T call(String what, Callable<T> step, Consumer<T> late) {
    return call(what, ChronoUnit.FOREVER.getDuration(), step, late);
  }

  /** The same for a step that has so much time left at most once the swap is called off. */
  <T> T call(String what, Duration grace, Callable<T> step, Consumer<T> late) {
    Task<T> task = new Task<>(what, step, late);
    task.grace = Nanos.of(grace);
    return carriedOut(task);
  }

  /** The same for a step that may be interrupted when the swap is called off. */
  <T> T callInterruptibly(String what, Callable<T> step, Consumer<T> late) {
    Task<T> task = new Task<>(what, step, late);
    task.interruptible = true;
    return carriedOut(task);
  }

  /**
   * Does a step that holds nothing of the runtime's: once the swap is called off it is interrupted,
   * and nobody waits for it any more.
   */
  void runWhileWanted(String what, Runnable step) {
    Task<Boolean> task = new Task<>(what, callable(step), nothing -> {});
    task.interruptible = true;
    task.endsWhenCalledOff = true;
    carriedOut(task);
  }

  private <T> T carriedOut(Task<T> task) {
    Runnable nudge = task::nudge; // made betimes: whoever has begun a step waits for it
    ThreadHandle thread = ThreadFrame.once(timeline, "semantic-swap " + task.what, task);
    task.thread = thread;
    permit.nudgeWith(nudge);
    try {
      return task.await(thread);
    } finally {
      permit.nudgeWith(NOBODY);
    }
  }

  /** Waits for a while, unless it is hurried; an interrupt does not shorten it, but is noted. */
  void pause(Duration howLong) {
    Monitor monitor = timeline.monitor();
    permit.nudgeWith(() -> monitor.holding(monitor::signalAll));
    monitor.lock();
    try {
      long left = Nanos.of(howLong);
      while (left > 0 && !permit.isHurried()) {
        try {
          left = monitor.awaitNanos(left);
        } catch (InterruptedException e) {
          noteInterrupt();
        }
      }
    } finally {
      monitor.unlock();
      permit.nudgeWith(NOBODY);
    }
  }

  /** Whether the registry is being closed, and nobody needs a model any more. */
  boolean isHurried() {
    return permit.isHurried();
  }

  /** What is left for all the steps of a swap that is hurried, and a little for one more. */
  private long untilLast() {
    long now = timeline.nanoTime();
    if (!hurried) {
      hurried = true;
      hurriedUntil = now + LAST_STEPS.toNanos();
    }
    return Math.max(hurriedUntil - now, ONE_MORE.toNanos());
  }

  /** Whether the swapping thread was interrupted; it is not any more. */
  boolean wasInterrupted() {
    return interrupted || Thread.interrupted();
  }

  /** For whoever waits himself and was interrupted. */
  void noteInterrupt() {
    interrupted = true;
    if (!permit.request("its thread was interrupted")) {
      LOG.debug("Interrupted, too late to call the swap off");
    }
  }

  private final class Task<T> implements ThreadFrame.Work {
    private final String what;
    private final Callable<T> step;
    private final Consumer<T> late;
    private final Monitor monitor = timeline.monitor();
    private final @Nullable Map<String, String> context = MDC.getCopyOfContextMap();
    private volatile @Nullable ThreadHandle thread;
    private @Nullable T result; // by the step's thread until it is done
    private @Nullable Throwable failure;
    private boolean done;
    private boolean abandoned;
    private boolean interruptible;
    private boolean endsWhenCalledOff;
    private long grace = Nanos.FOREVER; // once it is called off

    private Task(String what, Callable<T> step, Consumer<T> late) {
      this.what = what;
      this.step = step;
      this.late = late;
    }

    @Override
    public void run() throws Exception {
      begin(context);
      result = step.call();
    }

    @Override
    public void ended(@Nullable Throwable thrown) { // which the swapping thread judges
      if (!handOver(thrown)) {
        tooLate(result, thrown);
      }
    }

    private boolean handOver(@Nullable Throwable thrown) {
      monitor.lock();
      try {
        failure = thrown;
        done = true;
        monitor.signalAll();
        return !abandoned;
      } finally {
        monitor.unlock();
      }
    }

    private void tooLate(@Nullable T value, @Nullable Throwable thrown) {
      LOG.warn("{} came back after all, too late", what, thrown);
      if (value != null) {
        try {
          late.accept(value);
        } catch (Throwable t) {
          LOG.warn("What {} left could not be closed", what, t);
        }
      }
    }

    private boolean isCalledOff() {
      return endsWhenCalledOff && permit.isRequested();
    }

    private void nudge() {
      ThreadHandle working = thread;
      if (interruptible && working != null) {
        working.interrupt();
      }
      monitor.lock();
      try {
        monitor.signalAll();
      } finally {
        monitor.unlock();
      }
    }

    private T await(ThreadHandle thread) {
      long begun = timeline.nanoTime();
      monitor.lock();
      try {
        long left = Nanos.of(patience);
        while (!done && left > 0 && !isCalledOff()) {
          try {
            left = monitor.awaitNanos(Math.min(left, allowed()));
          } catch (InterruptedException e) {
            noteInterrupt();
          }
        }
        if (!done) {
          abandoned = true;
          thread.interrupt();
          if (isCalledOff()) {
            permit.check();
          }
          throw new PhaseTimeoutException(
              "%s has not come back after %d ms"
                  .formatted(what, TimeUnit.NANOSECONDS.toMillis(timeline.nanoTime() - begun)));
        }
      } finally {
        monitor.unlock();
      }
      if (failure != null) {
        throw StepRunner.<RuntimeException>sneaky(failure);
      }
      return value();
    }

    /** How long it may still take by what has become of the swap meanwhile. */
    private long allowed() {
      long wanted = permit.isRequested() ? grace : Nanos.FOREVER;
      return permit.isHurried() ? Math.min(wanted, untilLast()) : wanted;
    }

    @SuppressWarnings("NullAway") // done without a failure: the step's own value
    private T value() {
      return result;
    }
  }

  /** Whether a step that failed like this may still be at work, or come back. */
  static boolean mayGoOn(Throwable failure) {
    return failure instanceof PhaseTimeoutException || failure instanceof OutOfMemoryError;
  }

  /** Throws what a step gave instead of throwing it; nothing if it is null. */
  static void rethrow(@Nullable Throwable failure) {
    if (failure != null) {
      throw StepRunner.<RuntimeException>sneaky(failure);
    }
  }

  @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
  private static <T extends Throwable> T sneaky(Throwable failure) throws T {
    throw (T) failure;
  }
}
