package dev.semantic.mlx.array;

import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one platform thread on which every native call happens: an MLX stream belongs to the thread
 * that made it. Callers hand work over and wait for it.
 */
public final class OwnerThread {
  private static final Logger LOG = LoggerFactory.getLogger(OwnerThread.class);

  private final BlockingQueue<FutureTask<?>> work = new LinkedBlockingQueue<>();
  private final Thread thread;
  private volatile boolean busy;

  OwnerThread(String name) {
    thread = Thread.ofPlatform().daemon().name(name).start(this::serve);
  }

  private void serve() {
    while (true) {
      try {
        FutureTask<?> next = work.take();
        busy = true;
        next.run(); // keeps whatever its work throws
      } catch (InterruptedException e) {
        LOG.debug("Somebody interrupted MLX's thread, which lives as long as the JVM", e);
      } finally {
        busy = false;
      }
    }
  }

  /** Whether there is work to do just now. Any thread. */
  public boolean isBusy() {
    return busy || !work.isEmpty();
  }

  /**
   * Does the work on the owner thread and waits for it; at once when that is the caller's thread.
   * An interrupt does not cut the wait short (native work cannot be left half done), but is kept.
   *
   * @throws RuntimeException whatever the work throws, with the caller's stack as suppressed
   */
  public <T> T call(Callable<T> task) {
    if (isCurrent()) {
      return direct(task);
    }
    FutureTask<T> future = new FutureTask<>(task);
    work.add(future);
    return await(future);
  }

  /** The same for work without a result. */
  public void run(Runnable task) {
    call(
        () -> {
          task.run();
          return true;
        });
  }

  boolean isCurrent() {
    return Thread.currentThread() == thread;
  }

  void require(String what) {
    if (!isCurrent()) {
      throw new IllegalStateException(
          "%s was used on thread '%s'; it belongs to '%s'"
              .formatted(what, Thread.currentThread().getName(), thread.getName()));
    }
  }

  private static <T> T direct(Callable<T> task) {
    try {
      return task.call();
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  private static <T> T await(FutureTask<T> future) {
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return future.get();
        } catch (InterruptedException e) {
          interrupted = true;
        } catch (ExecutionException e) {
          throw asCallersOwn(e.getCause());
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private static RuntimeException asCallersOwn(@Nullable Throwable cause) {
    if (cause == null) {
      throw new AssertionError("A task failed without a reason");
    }
    cause.addSuppressed(new CalledFrom());
    if (cause instanceof Error e) {
      throw e;
    }
    return cause instanceof RuntimeException e ? e : new IllegalStateException(cause);
  }

  /** Not a failure: the stack of the thread that waited. */
  private static final class CalledFrom extends Throwable {
    private static final long serialVersionUID = 1L;

    CalledFrom() {
      super("called from thread '" + Thread.currentThread().getName() + "'");
    }
  }
}
