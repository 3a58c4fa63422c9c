package dev.semantic.registry;

import dev.semantic.log.Log;
import dev.semantic.swap.SwapListener;
import dev.semantic.timeline.Monitor;
import dev.semantic.timeline.ThreadFrame;
import dev.semantic.timeline.Timeline;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.MDC;

/**
 * Those who hear of swaps. They are strangers: each is told on a thread of its own, and waited for,
 * but not for long; who has not come back hears nothing more until he has.
 */
final class Listeners {
  private static final Log LOG = Log.of(Listeners.class);

  /** How long a swap waits for one of them. */
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  private final Timeline timeline;
  private final List<Listener> all;

  Listeners(Timeline timeline, List<SwapListener> listeners) {
    this.timeline = timeline;
    this.all = listeners.stream().map(Listener::new).toList();
  }

  /** Tells each in turn. */
  void tell(Consumer<SwapListener> news) {
    for (Listener each : all) {
      each.tell(news);
    }
  }

  private final class Listener {
    private final SwapListener listener;
    private final Monitor turn = timeline.monitor(); // a load that was given up tells beside others
    private @Nullable Call last;

    private Listener(SwapListener listener) {
      this.listener = listener;
    }

    private void tell(Consumer<SwapListener> news) {
      turn.lock();
      try {
        if (last != null && !last.over) {
          LOG.debug("A swap listener still has not come back, and misses something");
          return;
        }
        Call call = new Call(listener, news);
        if (!ThreadFrame.within(timeline, "semantic-swap telling", PATIENCE, call)) {
          last = call;
          LOG.warn(
              "{} has not come back for {}; the swap goes on, and does not tell it anything until"
                  + " it has",
              listener.getClass(),
              PATIENCE);
        }
      } catch (Throwable t) {
        LOG.warn("A swap listener failed", t);
      } finally {
        turn.unlock();
      }
    }
  }

  /** One listener is told one thing. */
  private static final class Call implements Runnable {
    private final SwapListener listener;
    private final Consumer<SwapListener> news;
    private final @Nullable Map<String, String> context = MDC.getCopyOfContextMap();
    private volatile boolean over;

    private Call(SwapListener listener, Consumer<SwapListener> news) {
      this.listener = listener;
      this.news = news;
    }

    @Override
    public void run() {
      try {
        StepRunner.begin(context);
        news.accept(listener);
      } finally {
        over = true;
      }
    }
  }
}
