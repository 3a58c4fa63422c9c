package dev.semantic.examples.server.admin;

import dev.semantic.examples.server.http.HttpFailure;
import dev.semantic.examples.server.http.Json;
import dev.semantic.memory.ByteSize;
import dev.semantic.swap.SwapListener;
import dev.semantic.swap.SwapPhase;
import dev.semantic.swap.SwapPlan;
import dev.semantic.swap.SwapReport;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Passes on what happens in swaps; never waits for whoever listens. Any thread. */
public final class SwapEvents implements SwapListener {
  private static final int MAX_LISTENERS = 1000;
  private static final int MAX_UNREAD = 256;

  private final Set<Subscription> subscriptions = ConcurrentHashMap.newKeySet();

  /** One thing that happened. */
  record Event(String name, Map<String, @Nullable Object> fields) {}

  /** What one listener has not read yet. One that reads too slowly misses some. */
  final class Subscription implements AutoCloseable {
    private final BlockingQueue<Event> unread = new ArrayBlockingQueue<>(MAX_UNREAD);

    /** The next one; null if there is none in time. */
    @Nullable Event next(long milliseconds) throws InterruptedException {
      return unread.poll(milliseconds, TimeUnit.MILLISECONDS);
    }

    @Override
    public void close() {
      subscriptions.remove(this);
    }
  }

  /**
   * Hears from now on.
   *
   * @throws HttpFailure if too many listen already
   */
  Subscription subscribe() {
    if (subscriptions.size() >= MAX_LISTENERS) {
      throw HttpFailure.busy("%d listen to swaps already".formatted(MAX_LISTENERS));
    }
    Subscription subscription = new Subscription();
    subscriptions.add(subscription);
    return subscription;
  }

  private void tell(String name, Map<String, @Nullable Object> fields) {
    Event event = new Event(name, fields);
    subscriptions.forEach(each -> each.unread.offer(event));
  }

  @Override
  public void planned(SwapPlan plan) {
    tell("planned", SwapAnswers.plan(plan));
  }

  @Override
  public void phase(SwapPhase phase) {
    tell("phase", Json.object("phase", phase.name().toLowerCase(Locale.ROOT)));
  }

  @Override
  public void progress(ByteSize done, ByteSize total) {
    tell("progress", Json.object("done_bytes", done.bytes(), "total_bytes", total.bytes()));
  }

  @Override
  public void finished(SwapReport report) {
    tell("finished", SwapAnswers.report(report));
  }
}
