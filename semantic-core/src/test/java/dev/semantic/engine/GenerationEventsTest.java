package dev.semantic.engine;

import static dev.semantic.scripted.ScriptedHost.PATIENCE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.generate.FinishReason;
import dev.semantic.generate.Generation;
import dev.semantic.generate.GenerationEvent;
import dev.semantic.generate.GenerationRequest;
import dev.semantic.generate.Prompt;
import dev.semantic.generate.RequestException;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.ScriptedHost;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** An answer as a stream that is subscribed to, and as a future. */
class GenerationEventsTest {
  /** Asks for so many at first, then for one each time. */
  private static final class Subscriber implements Flow.Subscriber<GenerationEvent> {
    private final long first;
    private final List<GenerationEvent> seen = Collections.synchronizedList(new ArrayList<>());
    private final CompletableFuture<Flow.Subscription> subscription = new CompletableFuture<>();
    private final CompletableFuture<@Nullable Throwable> end = new CompletableFuture<>();

    private Subscriber(long first) {
      this.first = first;
    }

    @Override
    public void onSubscribe(Flow.Subscription its) {
      subscription.complete(its);
      if (first != 0) {
        its.request(first);
      }
    }

    @Override
    public void onNext(GenerationEvent event) {
      seen.add(event);
      subscription.join().request(1);
    }

    @Override
    public void onError(Throwable thrown) {
      end.complete(thrown);
    }

    @Override
    public void onComplete() {
      end.complete(null);
    }

    private @Nullable Throwable end() throws Exception {
      return end.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    }
  }

  private static GenerationRequest of(int most) {
    return GenerationRequest.of(new Prompt.Tokens(5, 6, 7)).maxTokens(most).ignoreEos(true).build();
  }

  @Test
  void everySubscriberHearsAll() throws Exception {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA)) {
      Generation generation = host.ask(of(20));
      Subscriber one = new Subscriber(1);
      generation.events().subscribe(one);
      generation.await(PATIENCE);
      Subscriber late = new Subscriber(Long.MAX_VALUE);
      generation.events().subscribe(late);
      assertEquals(null, one.end());
      assertEquals(null, late.end());
      List<GenerationEvent> all = new ArrayList<>();
      generation.events().forEachRemaining(all::add);
      assertEquals(21, all.size());
      assertEquals(all, one.seen);
      assertEquals(all, late.seen);
    }
  }

  /** It never asks for anything. */
  @Test
  void aSlowSubscriberHoldsNobodyUp() throws Exception {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA)) {
      Generation generation = host.ask(of(20));
      Subscriber slow = new Subscriber(0);
      generation.events().subscribe(slow);
      assertEquals(20, generation.await(PATIENCE).tokens().size());
      assertEquals(List.of(), slow.seen);
      slow.subscription.get(PATIENCE.toSeconds(), TimeUnit.SECONDS).request(Long.MAX_VALUE);
      assertEquals(null, slow.end());
      assertEquals(21, slow.seen.size());
    }
  }

  @Test
  void toCancelASubscriptionIsToCancelTheAnswer() throws Exception {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA)) {
      Generation generation = host.ask(of(1900));
      Subscriber subscriber = new Subscriber(1);
      generation.events().subscribe(subscriber);
      subscriber.subscription.get(PATIENCE.toSeconds(), TimeUnit.SECONDS).cancel();
      RequestExceptionOrReason ended = ended(generation);
      assertTrue(
          ended.reason() == FinishReason.CANCELLED
              || ended.kind() == RequestException.Kind.CANCELLED,
          ended::toString);
    }
  }

  private record RequestExceptionOrReason(
      @Nullable FinishReason reason, RequestException.@Nullable Kind kind) {}

  private static RequestExceptionOrReason ended(Generation generation) {
    try {
      return new RequestExceptionOrReason(generation.await(PATIENCE).reason(), null);
    } catch (RequestException e) {
      return new RequestExceptionOrReason(null, e.kind());
    }
  }

  @Test
  void whoAsksForNothingIsTold() throws Exception {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA)) {
      Subscriber wrong = new Subscriber(-1);
      host.ask(of(5)).events().subscribe(wrong);
      assertInstanceOf(IllegalArgumentException.class, wrong.end());
    }
  }

  @Test
  void theFutureIsTheAnswer() throws Exception {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA)) {
      Generation generation = host.ask(of(5));
      assertEquals(
          generation.await(PATIENCE),
          generation.toCompletableFuture().get(PATIENCE.toSeconds(), TimeUnit.SECONDS));
    }
  }

  @Test
  void aRefusalFailsFutureAndSubscriber() throws Exception {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA)) {
      Generation refused =
          host.ask(GenerationRequest.of(new Prompt.Tokens(Integer.MAX_VALUE)).build());
      Subscriber subscriber = new Subscriber(1);
      refused.events().subscribe(subscriber);
      assertInstanceOf(RequestException.class, subscriber.end());
      CompletableFuture<?> future = refused.toCompletableFuture();
      ExecutionException e =
          assertThrows(
              ExecutionException.class, () -> future.get(PATIENCE.toSeconds(), TimeUnit.SECONDS));
      assertInstanceOf(RequestException.class, e.getCause());
    }
  }

  @Test
  void toCancelTheFutureIsToCancelTheAnswer() throws TimeoutException {
    try (ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA)) {
      Generation generation = host.ask(of(1900));
      assertTrue(generation.toCompletableFuture().cancel(true));
      RequestExceptionOrReason ended = ended(generation);
      assertTrue(
          ended.reason() == FinishReason.CANCELLED
              || ended.kind() == RequestException.Kind.CANCELLED,
          ended::toString);
    }
  }
}
