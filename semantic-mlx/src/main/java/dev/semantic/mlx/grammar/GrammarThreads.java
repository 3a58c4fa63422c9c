package dev.semantic.mlx.grammar;

import dev.semantic.model.ModelException;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * The threads on which alone llguidance is called. It descends as deep as a schema refers, and
 * would end the JVM on a stack of the usual size; these have enough for the largest that is let in.
 */
final class GrammarThreads {
  private static final long STACK_BYTES = 64L << 20;

  /** More than answers are constrained at a time; those that never come back count. */
  private static final int MOST = 64;

  private static final ThreadPoolExecutor THREADS =
      new ThreadPoolExecutor(
          0, MOST, 30, TimeUnit.SECONDS, new SynchronousQueue<>(), GrammarThreads::thread);

  private GrammarThreads() {}

  private static Thread thread(Runnable work) {
    return Thread.ofPlatform()
        .daemon()
        .name("semantic-llguidance")
        .stackSize(STACK_BYTES)
        .unstarted(work);
  }

  /**
   * Does something there, and waits for it, but not for ever.
   *
   * @param tooLate done when it is not waited for any more, by time or interrupt
   * @throws ModelException what it threw; or of the kind FAILED if it did not come back
   */
  static <T> T call(Callable<T> work, Duration atMost, Runnable tooLate) {
    Future<T> done = submit(work);
    try {
      return done.get(atMost.toNanos(), TimeUnit.NANOSECONDS);
    } catch (ExecutionException e) {
      Throwable cause = Objects.requireNonNullElse(e.getCause(), e);
      throw cause instanceof ModelException refusal
          ? refusal
          : new ModelException(ModelException.Kind.FAILED, "llguidance failed: " + cause, cause);
    } catch (TimeoutException e) {
      tooLate.run();
      throw new ModelException(
          ModelException.Kind.FAILED,
          "The constraint took longer than %d s; a simpler one may do"
              .formatted(atMost.toSeconds()),
          e);
    } catch (InterruptedException e) {
      tooLate.run();
      Thread.currentThread().interrupt();
      throw new ModelException(
          ModelException.Kind.FAILED, "Interrupted while a constraint was looked at", e);
    }
  }

  /** Does something on such a thread; nobody waits for it, and it is never refused. */
  static void execute(Runnable work) {
    try {
      THREADS.execute(work);
    } catch (RejectedExecutionException e) {
      thread(work).start();
    }
  }

  private static <T> Future<T> submit(Callable<T> work) {
    try {
      return THREADS.submit(work);
    } catch (RejectedExecutionException e) {
      throw new ModelException(
          ModelException.Kind.FAILED,
          "%d constraints are being looked at already; ask again later".formatted(MOST),
          e);
    }
  }
}
