package dev.semantic.engine;

import dev.semantic.generate.Generation;
import dev.semantic.generate.GenerationEvent;
import dev.semantic.generate.GenerationEvents;
import dev.semantic.generate.GenerationResult;
import dev.semantic.generate.LogProbs;
import dev.semantic.generate.RequestException;
import dev.semantic.timeline.Monitor;
import dev.semantic.timeline.Nanos;
import dev.semantic.timeline.ThreadFrame;
import dev.semantic.timeline.Timeline;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow;
import org.jspecify.annotations.Nullable;

/**
 * What comes of a request: its tokens, its end, and whether anybody still wants it. The scheduler
 * writes, any thread reads.
 */
final class RequestOutput implements Generation {
  private final Timeline timeline;
  private final Monitor monitor;
  private final Runnable wake;
  private final List<GenerationEvent> events = new ArrayList<>(); // under the monitor
  private volatile @Nullable GenerationEvent end; // the last of them
  private volatile boolean cancelled;
  private volatile boolean forgotten;
  private volatile boolean begun;

  /**
   * Not begun.
   *
   * @param wake lets whoever works on it know that it was cancelled
   */
  RequestOutput(Timeline timeline, Runnable wake) {
    this.timeline = timeline;
    this.monitor = timeline.monitor();
    this.wake = wake;
  }

  void token(int id, String text, Optional<LogProbs> logProbs) {
    add(new GenerationEvent.Token(id, text, logProbs));
  }

  /** What a token adds to the assistant's message. */
  void part(GenerationEvent event) {
    add(event);
  }

  /** The end; only the first one counts. */
  void finish(GenerationResult answer) {
    add(new GenerationEvent.Finished(answer));
  }

  /** The end; only the first one counts. */
  void fail(RequestException cause) {
    add(new GenerationEvent.Failed(cause));
  }

  private void add(GenerationEvent event) {
    monitor.lock();
    try {
      if (end == null) {
        events.add(event);
        end = event.isEnd() ? event : null;
        monitor.signalAll();
      }
    } finally {
      monitor.unlock();
    }
  }

  /** The first of it is being computed. */
  void begin() {
    begun = true;
  }

  /** Whether anything of it has been computed. */
  boolean isBegun() {
    return begun;
  }

  boolean isCancelled() {
    return cancelled;
  }

  @Override
  public void cancel() {
    cancelled = true;
    if (!isDone()) {
      wake.run();
    }
  }

  @Override
  public boolean isDone() {
    return end != null;
  }

  @Override
  public GenerationResult await() {
    return await(null);
  }

  @Override
  public GenerationResult await(@Nullable Duration atMost) {
    GenerationEvent last = awaitEnd(atMost == null ? Nanos.FOREVER : Nanos.of(atMost));
    if (last instanceof GenerationEvent.Finished(GenerationResult answer)) {
      return answer;
    }
    if (last instanceof GenerationEvent.Failed(RequestException cause)) {
      throw cause;
    }
    throw new RequestException(RequestException.Kind.TIME_LIMIT, "No answer within " + atMost);
  }

  /** The last event; null if time runs out before. */
  private @Nullable GenerationEvent awaitEnd(long nanos) {
    long left = nanos;
    monitor.lock();
    try {
      while (end == null && left > 0) {
        left = pause(left);
      }
      return end;
    } finally {
      monitor.unlock();
    }
  }

  /** Waits for a signal; returns what is left of so many nanoseconds. */
  private long pause(long nanos) {
    try {
      if (nanos < Nanos.FOREVER) {
        return monitor.awaitNanos(nanos);
      }
      monitor.await();
      return nanos;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new RequestException(
          RequestException.Kind.INTERRUPTED,
          "Interrupted while waiting for an answer, which goes on",
          e);
    }
  }

  @Override
  public GenerationEvents events() {
    return new Events();
  }

  private final class Events implements GenerationEvents {
    private int read;
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
      GenerationEvent event = awaitEvent(read);
      read++;
      ended = event.isEnd();
      return event;
    }

    @Override
    public void subscribe(Flow.Subscriber<? super GenerationEvent> subscriber) {
      EventSubscription.start(
          timeline, RequestOutput.this, Objects.requireNonNull(subscriber, "subscriber"));
    }
  }

  @Override
  public CompletableFuture<GenerationResult> toCompletableFuture() {
    Future future = new Future();
    ThreadFrame.once(timeline, "semantic-answer", future);
    return future;
  }

  /** Completes itself, and cancels the generation with itself. */
  private final class Future extends CompletableFuture<GenerationResult>
      implements ThreadFrame.Work {
    @Override
    public void run() {
      complete(await());
    }

    @Override
    public void ended(@Nullable Throwable thrown) {
      if (thrown != null) {
        completeExceptionally(thrown);
      }
    }

    @Override
    public boolean cancel(boolean mayInterrupt) {
      RequestOutput.this.cancel();
      return super.cancel(mayInterrupt);
    }

    @Override
    public <U> CompletableFuture<U> newIncompleteFuture() {
      return new CompletableFuture<>();
    }
  }

  /** The event of that number, when it is there. */
  GenerationEvent awaitEvent(int index) {
    monitor.lock();
    try {
      while (events.size() <= index) {
        pause(Long.MAX_VALUE);
      }
      return events.get(index);
    } finally {
      monitor.unlock();
    }
  }

  /** Its agent was forgotten after it was asked: what is computed for it is kept for nobody. */
  void forget() {
    forgotten = true;
  }

  boolean isForgotten() {
    return forgotten;
  }
}
