package dev.semantic.mlx.models.hub;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.function.LongSupplier;

/** Does something again until it goes well or patience ends. Any thread. */
final class Retrying {
  private static final int BUFFER = 1 << 16;

  private final RetryPolicy retryPolicy;
  private final DownloadListener listener;

  Retrying(RetryPolicy retryPolicy, DownloadListener listener) {
    this.retryPolicy = retryPolicy;
    this.listener = listener;
  }

  /** What can fail in passing. */
  @FunctionalInterface
  interface Attempt<T> {
    T run() throws IOException, InterruptedException;
  }

  <T> T call(URI place, Attempt<T> attempt) throws IOException, InterruptedException {
    return call(place, () -> 0, attempt);
  }

  /**
   * The same, where bytes that came count as a success, unless they are few: the failures before
   * them are forgotten.
   *
   * @param done grows with what has come
   */
  <T> T call(URI place, LongSupplier done, Attempt<T> attempt)
      throws IOException, InterruptedException {
    int failures = 0;
    while (true) {
      requireWanted();
      long before = done.getAsLong();
      try {
        return attempt.run();
      } catch (IOException e) {
        requireWanted(); // a cancelled request fails in its own way
        HubException failure = HttpErrors.of(e, place);
        failures = done.getAsLong() - before >= ReadTimeout.LEAST_BYTES ? 1 : failures + 1;
        Optional<Duration> pause =
            failure.isPassing()
                ? retryPolicy.after(failures, failure.askedToWait())
                : Optional.empty();
        if (pause.isEmpty()) {
          throw failure.isPassing() ? givenUp(failure, failures) : failure;
        }
        listener.waits(String.valueOf(failure.getMessage()), pause.get());
        retryPolicy.sleeper().sleep(pause.get());
      }
    }
  }

  private static HubException givenUp(HubException failure, int failures) {
    String asked =
        failure
            .askedToWait()
            .map(wait -> "; it asks for %d s".formatted(wait.toSeconds()))
            .orElse("");
    return HubException.lasting(
        "%s%s; given up after %d attempts, what has come is kept and the next fetch goes on there"
            .formatted(failure.getMessage(), asked, failures),
        failure);
  }

  /**
   * Reads an answer as long as it is wanted.
   *
   * @param most bytes; fewer if it ends before
   * @param longest time that it may take as a whole
   */
  byte[] read(InputStream body, int most, Duration longest)
      throws IOException, InterruptedException {
    long begun = System.nanoTime();
    ByteArrayOutputStream read = new ByteArrayOutputStream();
    byte[] buffer = new byte[BUFFER];
    while (read.size() < most) {
      requireWanted();
      if (System.nanoTime() - begun > longest.toNanos()) {
        throw HubException.passing(
            "the answer took longer than %d s".formatted(longest.toSeconds()), null);
      }
      int n = body.read(buffer, 0, Math.min(buffer.length, most - read.size()));
      if (n < 0) {
        break;
      }
      read.write(buffer, 0, n);
    }
    return read.toByteArray();
  }

  void requireWanted() throws InterruptedException {
    if (Thread.interrupted()) {
      throw new InterruptedException();
    }
    if (listener.isCancelled()) {
      throw new CancellationException("The fetch was called off");
    }
  }
}
