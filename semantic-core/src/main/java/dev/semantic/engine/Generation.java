package dev.semantic.engine;

import java.time.Duration;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * A request under way. Its events wait here until somebody reads them, so that a slow or absent
 * reader holds nobody up; there are at most as many as tokens were asked for. Any thread.
 */
public final class Generation {
  private final BlockingQueue<GenerationEvent> events = new LinkedBlockingQueue<>();
  private final CompletableFuture<GenerationResult> result = new CompletableFuture<>();
  private final Runnable wake;
  private volatile boolean cancelled;

  /**
   * Not begun.
   *
   * @param wake lets whoever works on it know that it was cancelled
   */
  Generation(Runnable wake) {
    this.wake = wake;
  }

  void token(int id, String text) {
    events.add(new GenerationEvent.Token(id, text));
  }

  /** The end; only the first one counts. */
  void finish(GenerationResult answer) {
    if (result.complete(answer)) {
      events.add(new GenerationEvent.Finished(answer));
    }
  }

  /** The end; only the first one counts. */
  void fail(RuntimeException cause) {
    if (result.completeExceptionally(cause)) {
      events.add(new GenerationEvent.Failed(cause));
    }
  }

  boolean isCancelled() {
    return cancelled;
  }

  /**
   * Ends it before its next token; what has been generated is its answer. One that has not been
   * begun has none, and fails.
   */
  public void cancel() {
    cancelled = true;
    if (!isDone()) {
      wake.run();
    }
  }

  /** Whether it has ended. */
  public boolean isDone() {
    return result.isDone();
  }

  /**
   * Waits for the answer.
   *
   * @throws RequestException if there is none, or the wait is interrupted
   */
  public GenerationResult await() {
    return await(null);
  }

  /**
   * Waits for the answer, but not for ever.
   *
   * @throws RequestException if there is none, or none in time; the generation goes on then
   */
  public GenerationResult await(@Nullable Duration atMost) {
    try {
      return atMost == null ? result.get() : result.get(atMost.toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new RequestException(
          RequestException.Kind.INTERRUPTED, "Interrupted while waiting for an answer", e);
    } catch (TimeoutException e) {
      throw new RequestException(RequestException.Kind.TIME_LIMIT, "No answer within " + atMost, e);
    } catch (ExecutionException e) {
      throw RequestException.of(e.getCause() == null ? e : e.getCause());
    }
  }

  /**
   * The events in order, as they come; the last is {@link GenerationEvent.Finished} or {@link
   * GenerationEvent.Failed}. For one reader.
   */
  public Iterator<GenerationEvent> events() {
    return new Iterator<>() {
      private boolean ended;

      @Override
      public boolean hasNext() {
        return !ended;
      }

      @Override
      public GenerationEvent next() {
        if (ended) {
          throw new NoSuchElementException("The generation has ended");
        }
        try {
          GenerationEvent event = events.take();
          ended = !(event instanceof GenerationEvent.Token);
          return event;
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          throw new RequestException(
              RequestException.Kind.INTERRUPTED, "Interrupted while waiting for a token", e);
        }
      }
    };
  }
}
