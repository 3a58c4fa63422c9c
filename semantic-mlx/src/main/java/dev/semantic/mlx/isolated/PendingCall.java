package dev.semantic.mlx.isolated;

import dev.semantic.mlx.isolated.FrameCodec.Received;
import dev.semantic.mlx.isolated.FrameCodec.Reply;
import dev.semantic.model.ModelException;
import dev.semantic.spi.LoadProgress;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * A call that waits for its answer. How far it has come is told on the thread that waits, so that
 * whoever listens may take their time, and may ask the same process something else.
 */
final class PendingCall {
  private static final long LOOK_NANOS = Duration.ofMillis(20).toNanos();

  private final LoadProgress progress;
  private final CompletableFuture<Received<Reply>> answer = new CompletableFuture<>();
  private final AtomicReference<Response.@Nullable Progress> news = new AtomicReference<>();

  PendingCall(LoadProgress progress) {
    this.progress = progress;
  }

  /** What a waiting call does about the other side. */
  interface Remedy {
    /** It is not wanted any more. */
    void cancel();

    /** It has taken too long. */
    void giveUp(String why);
  }

  void tell(Response.Progress latest) {
    news.set(latest);
  }

  void answer(Received<Reply> received) {
    answer.complete(received);
  }

  void fail(ModelException death) {
    answer.completeExceptionally(death);
  }

  /**
   * Waits for the answer; an interrupt does not cut that short, for the other side is in the middle
   * of it, but is kept, and the other side is told of it where it should answer soon.
   *
   * @param patience how long, and how long a cancelled call may go on
   * @param bounded whether patience counts from the beginning
   */
  Received<Reply> await(Duration patience, boolean bounded, Remedy remedy) {
    boolean interrupted = false;
    boolean cancelled = false;
    boolean gaveUp = false;
    long waited = 0;
    try {
      while (true) {
        long before = System.nanoTime();
        try {
          Received<Reply> received = answer.get(LOOK_NANOS, TimeUnit.NANOSECONDS);
          tellNews();
          return received;
        } catch (InterruptedException e) {
          if (bounded && !interrupted) {
            remedy.cancel();
          }
          interrupted = true;
        } catch (TimeoutException e) {
          tellNews();
          if (!cancelled && progress.isCancelled()) {
            cancelled = true;
            waited = 0;
            remedy.cancel();
          }
        } catch (ExecutionException e) {
          throw new ModelException(
              ModelException.Kind.FAILED, String.valueOf(death(e).getMessage()), e);
        }
        // a look that took long was this process's own sleep: Ctrl-Z stops parent and child alike
        waited += Math.min(System.nanoTime() - before, 2 * LOOK_NANOS);
        if (!gaveUp && (bounded || cancelled) && waited > patience.toNanos()) {
          gaveUp = true;
          remedy.giveUp("it has not answered for " + patience);
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private static Throwable death(ExecutionException e) {
    Throwable cause = e.getCause();
    return cause == null ? e : cause;
  }

  private void tellNews() {
    Response.Progress latest = news.getAndSet(null);
    if (latest != null) {
      progress.update(latest.done(), latest.total());
    }
  }
}
