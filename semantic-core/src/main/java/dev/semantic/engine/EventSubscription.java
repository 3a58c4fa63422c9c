package dev.semantic.engine;

import dev.semantic.generate.GenerationEvent;
import dev.semantic.log.Log;
import dev.semantic.timeline.Monitor;
import dev.semantic.timeline.ThreadFrame;
import dev.semantic.timeline.Timeline;
import java.util.concurrent.Flow;
import org.jspecify.annotations.Nullable;

/** Tells one subscriber what comes of a request, on a thread of its own, as it asks for it. */
final class EventSubscription implements Flow.Subscription, ThreadFrame.Work {
  private static final Log LOG = Log.of(EventSubscription.class);

  private final RequestOutput output;
  private final Flow.Subscriber<? super GenerationEvent> subscriber;
  private final Monitor monitor;
  private long wanted; // this and the next two: under the monitor
  private boolean cancelled;
  private boolean misused;

  private EventSubscription(
      RequestOutput output, Flow.Subscriber<? super GenerationEvent> subscriber, Monitor monitor) {
    this.output = output;
    this.subscriber = subscriber;
    this.monitor = monitor;
  }

  static void start(
      Timeline timeline,
      RequestOutput output,
      Flow.Subscriber<? super GenerationEvent> subscriber) {
    ThreadFrame.once(
        timeline, "semantic-events", new EventSubscription(output, subscriber, timeline.monitor()));
  }

  @Override
  public void run() throws InterruptedException {
    subscriber.onSubscribe(this);
    for (int next = 0; !isCancelled(); next++) {
      GenerationEvent event = output.awaitEvent(next);
      if (event instanceof GenerationEvent.Failed(var cause)) {
        end(cause);
        return;
      }
      if (!awaitDemand()) {
        return;
      }
      subscriber.onNext(event);
      if (event.isEnd()) {
        end(null);
        return;
      }
    }
  }

  private void end(@Nullable Throwable cause) {
    if (isCancelled()) {
      return;
    }
    if (cause == null) {
      subscriber.onComplete();
    } else {
      subscriber.onError(cause);
    }
  }

  private boolean isCancelled() {
    monitor.lock();
    try {
      return cancelled;
    } finally {
      monitor.unlock();
    }
  }

  /** False where nothing more is wanted. */
  private boolean awaitDemand() throws InterruptedException {
    boolean wrong;
    monitor.lock();
    try {
      while (wanted == 0 && !cancelled && !misused) {
        monitor.await();
      }
      wrong = misused && !cancelled;
      if (!cancelled && !wrong) {
        wanted--;
        return true;
      }
    } finally {
      monitor.unlock();
    }
    if (wrong) {
      output.cancel();
      subscriber.onError(new IllegalArgumentException("A subscriber must ask for 1 event or more"));
    }
    return false;
  }

  @Override
  public void request(long more) {
    monitor.lock();
    try {
      misused |= more < 1;
      wanted = more < 1 ? wanted : wanted + Math.min(more, Long.MAX_VALUE - wanted);
      monitor.signalAll();
    } finally {
      monitor.unlock();
    }
  }

  @Override
  public void cancel() {
    monitor.lock();
    try {
      cancelled = true;
      monitor.signalAll();
    } finally {
      monitor.unlock();
    }
    output.cancel();
  }

  @Override
  public void ended(@Nullable Throwable thrown) {
    if (thrown != null) {
      LOG.warn("A subscriber to an answer failed; the answer is cancelled", thrown);
      output.cancel();
    }
  }
}
