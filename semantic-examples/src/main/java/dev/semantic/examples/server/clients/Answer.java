package dev.semantic.examples.server.clients;

import dev.semantic.examples.server.http.HttpFailure;
import dev.semantic.generate.FinishReason;
import dev.semantic.generate.Generation;
import dev.semantic.generate.GenerationEvent;
import dev.semantic.generate.GenerationResult;
import dev.semantic.generate.RequestException;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Flow;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * An answer on its way to a client.
 *
 * @param model that gives it
 */
public record Answer(Generation generation, String model) {
  /** How long a stream keeps quiet before it tells that it is still there. */
  private static final Duration QUIET = Duration.ofSeconds(5);

  /**
   * The whole of it.
   *
   * @param enough what ends it early; such an end is its cancellation
   * @throws HttpFailure if its model had to leave before it was complete
   */
  public GenerationResult await(Predicate<GenerationEvent> enough) {
    GenerationResult result =
        follow(
            event -> {
              if (enough.test(event)) {
                generation.cancel();
              }
            },
            () -> {});
    if (result.reason() == FinishReason.PREEMPTED) {
      throw HttpFailure.busy("Another model took this one's place in the middle of the answer");
    }
    return result;
  }

  /**
   * Tells its events on the caller's thread as they come, and calls it off if that fails: nobody
   * reads it any more.
   *
   * @param idle done every five seconds in which nothing came
   * @return the whole of it
   * @throws RequestException if it could not be given
   */
  public GenerationResult follow(Consumer<GenerationEvent> reader, Runnable idle) {
    Events events = new Events();
    generation.events().subscribe(events);
    try {
      while (true) {
        GenerationEvent event = events.next();
        switch (event) {
          case null -> idle.run();
          case GenerationEvent.Finished(GenerationResult result) -> {
            return result;
          }
          case GenerationEvent.Failed(RequestException cause) -> throw cause;
          default -> reader.accept(event);
        }
      }
    } finally {
      generation.cancel();
    }
  }

  /** What came and has not been told yet; no more than the answer has tokens. */
  private static final class Events implements Flow.Subscriber<GenerationEvent> {
    private final BlockingQueue<GenerationEvent> unread = new LinkedBlockingQueue<>();

    @Nullable GenerationEvent next() {
      try {
        return unread.poll(QUIET.toMillis(), TimeUnit.MILLISECONDS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new RequestException(RequestException.Kind.INTERRUPTED, "The server is stopping");
      }
    }

    @Override
    public void onSubscribe(Flow.Subscription subscription) {
      subscription.request(Long.MAX_VALUE);
    }

    @Override
    public void onNext(GenerationEvent event) {
      unread.add(event);
    }

    @Override
    public void onError(Throwable thrown) {
      unread.add(new GenerationEvent.Failed(RequestException.of(thrown)));
    }

    @Override
    public void onComplete() {}
  }
}
