package dev.semantic.mlx.isolated;

import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks every child now and then whether it lives: one that was stopped, or whose JVM hangs, keeps
 * its socket open and would be waited for without end. A computation that takes long is no reason:
 * the answer comes from another thread of the child.
 */
final class Heartbeat {
  private static final Logger LOG = LoggerFactory.getLogger(Heartbeat.class);
  private static final int TIMES = 6; // within its patience
  private static final ScheduledExecutorService CLOCK =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("semantic-isolated-watch").factory());

  private Heartbeat() {}

  static void over(WorkerProcess worker, Duration patience) {
    AtomicReference<ScheduledFuture<?>> self = new AtomicReference<>();
    long every = Math.max(1, patience.toMillis() / TIMES);
    self.set(
        CLOCK.scheduleWithFixedDelay(
            () -> {
              ScheduledFuture<?> here = self.get();
              if (!worker.isAlive() && here != null) {
                here.cancel(false);
              } else {
                // each on a thread of its own: one that hangs must not hide the others
                Thread.ofVirtual().start(() -> ping(worker));
              }
            },
            every,
            every,
            TimeUnit.MILLISECONDS));
  }

  private static void ping(WorkerProcess worker) {
    try {
      worker.askBriefly(new Request.Ping(), Response.Done.class);
    } catch (RuntimeException e) {
      LOG.debug("{} does not answer", worker, e); // which has ended it
    }
  }
}
