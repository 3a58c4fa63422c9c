package dev.semantic.mlx.models;

import dev.semantic.mlx.models.hub.DownloadListener;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.function.LongSupplier;

/** Adds up what many threads fetch, and tells one listener: not too often, and never backwards. */
final class ProgressAggregator implements DownloadListener {
  private static final long EVERY_NANOS = 100_000_000;
  private static final long SECOND = 1_000_000_000;
  private static final int SECONDS_OF_RATE = 5;

  private record Sample(long nanos, long done) {}

  private final FetchProgress to;
  private final LongSupplier clock;
  private final ArrayDeque<Sample> samples = new ArrayDeque<>();
  private long total;
  private long done;
  private long reported = -1;
  private long reportedAt;

  ProgressAggregator(FetchProgress to) {
    this(to, System::nanoTime);
  }

  ProgressAggregator(FetchProgress to, LongSupplier clock) {
    this.to = to;
    this.clock = clock;
  }

  @Override
  public synchronized void found(String commit, int files, long totalBytes) {
    total = totalBytes;
    done = 0; // what came before was only to find out
    samples.clear();
    to.event(new FetchEvent.Found(commit, files, totalBytes));
  }

  @Override
  public synchronized void moved(long bytes) {
    done += bytes;
    long now = clock.getAsLong();
    long bounded = Math.min(total, Math.max(done, reported));
    boolean due = reported < 0 || now - reportedAt >= EVERY_NANOS || bounded == total;
    if (total > 0 && due && bounded != reported) {
      reported = bounded;
      reportedAt = now;
      to.progress(bounded, total);
    }
    if (total > 0) {
      sample(now);
    }
  }

  private void sample(long now) {
    if (samples.isEmpty()) {
      samples.add(new Sample(now, done));
      return;
    }
    if (now - samples.getLast().nanos() < SECOND) {
      return;
    }
    samples.add(new Sample(now, done));
    if (samples.size() > SECONDS_OF_RATE + 1) {
      samples.removeFirst();
    }
    Sample first = samples.getFirst();
    double seconds = (now - first.nanos()) / (double) SECOND;
    long rate = Math.max(0, (long) ((done - first.done()) / seconds));
    Optional<Duration> remaining =
        rate == 0
            ? Optional.empty()
            : Optional.of(Duration.ofSeconds(Math.ceilDiv(Math.max(0, total - done), rate)));
    to.event(new FetchEvent.Moving(Math.clamp(done, 0, total), total, rate, remaining));
  }

  @Override
  public synchronized void waits(String reason, Duration time) {
    to.event(new FetchEvent.Waiting(reason, time));
  }

  @Override
  public synchronized void checks(String file) {
    to.event(new FetchEvent.Checking(file));
  }

  @Override
  public synchronized void published(Path snapshot) {
    to.event(new FetchEvent.Published(snapshot));
  }

  @Override
  public boolean isCancelled() {
    return to.isCancelled();
  }
}
