package dev.semantic.engine;

import static dev.semantic.scripted.ScriptedHost.PATIENCE;
import static dev.semantic.scripted.ScriptedHost.request;
import static dev.semantic.scripted.ScriptedHost.tokens;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.generate.Generation;
import dev.semantic.generate.GenerationEvent;
import dev.semantic.generate.GenerationRequest;
import dev.semantic.generate.GenerationResult;
import dev.semantic.generate.Prompt;
import dev.semantic.generate.RequestException;
import dev.semantic.generate.RequestException.Kind;
import dev.semantic.model.ModelId;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.PortCall;
import dev.semantic.scripted.Script;
import dev.semantic.scripted.ScriptedHost;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What whoever asked hears: by waiting for the answer, and by its events. */
@Timeout(30)
class GenerationTest {
  @RegisterExtension final ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA);

  @Test
  void bothWaysTellTheSameFailure() {
    var elsewhere =
        GenerationRequest.of(new Prompt.Tokens(tokens(9, 1))).model(new ModelId("beta")).build();
    Generation asked = host.ask(elsewhere);
    RequestException told = assertThrows(RequestException.class, () -> asked.await(PATIENCE));
    assertEquals(Kind.WRONG_MODEL, told.kind());
    assertSame(told, assertThrows(RequestException.class, asked::await));
    List<GenerationEvent> heard = heard(asked);
    assertEquals(List.of(new GenerationEvent.Failed(told)), heard);
  }

  @Test
  void everyReaderHearsEverythingAlsoAfterTheEnd() {
    Generation asked = host.ask(request("ada", 20, tokens(9, 1)));
    List<CompletableFuture<List<GenerationEvent>>> readers = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      readers.add(CompletableFuture.supplyAsync(() -> heard(asked)));
    }
    GenerationResult answer = asked.await(PATIENCE);
    List<GenerationEvent> late = heard(asked);
    assertEquals(new GenerationEvent.Finished(answer), late.getLast());
    assertEquals(answer.tokens().size() + 1, late.size());
    readers.forEach(reader -> assertEquals(late, reader.orTimeout(4, TimeUnit.SECONDS).join()));
  }

  @Test
  void aReaderThatIsThroughSaysSo() {
    Generation asked = host.ask(request("ada", 2, tokens(9, 1)));
    Iterator<GenerationEvent> events = asked.events();
    events.forEachRemaining(event -> {});
    assertFalse(events.hasNext());
    assertThrows(NoSuchElementException.class, events::next);
  }

  @ParameterizedTest
  @ValueSource(strings = {"FOREVER", "CENTURIES", "MILLENNIA"})
  void anyDurationIsWaitedFor(String unit) {
    Duration atMost = ChronoUnit.valueOf(unit).getDuration();
    assertEquals(5, host.ask(request("ada", 5, tokens(9, 1))).await(atMost).tokens().size());
  }

  @ParameterizedTest
  @ValueSource(longs = {0, -1, Long.MIN_VALUE, 1})
  void whatIsNotThereInTimeGoesOn(long seconds) throws Exception {
    Script.Hold step = host.script.hold(PortCall.FORWARD);
    Generation asked = host.ask(request("ada", 5, tokens(9, 1)));
    step.awaitReached();
    Duration atMost = seconds == 1 ? Duration.ofMillis(1) : Duration.ofSeconds(seconds);
    RequestException told = assertThrows(RequestException.class, () -> asked.await(atMost));
    assertEquals(Kind.TIME_LIMIT, told.kind());
    assertFalse(asked.isDone());
    step.release();
    assertEquals(5, asked.await(PATIENCE).tokens().size());
    assertEquals(5, asked.await(atMost).tokens().size());
  }

  @Test
  void whoIsInterruptedHearsItAndStaysSo() throws Exception {
    Script.Hold step = host.script.hold(PortCall.FORWARD);
    Generation asked = host.ask(request("ada", 5, tokens(9, 1)));
    step.awaitReached();
    List<Runnable> waits = List.of(asked::await, () -> asked.await(PATIENCE), () -> heard(asked));
    for (Runnable wait : waits) {
      Thread.currentThread().interrupt();
      RequestException told = assertThrows(RequestException.class, wait::run);
      assertTrue(Thread.interrupted(), "the flag was lost");
      assertEquals(Kind.INTERRUPTED, told.kind());
      assertFalse(asked.isDone());
    }
    step.release();
    assertEquals(5, asked.await(PATIENCE).tokens().size());
  }

  private static List<GenerationEvent> heard(Generation generation) {
    List<GenerationEvent> heard = new ArrayList<>();
    generation.events().forEachRemaining(heard::add);
    return heard;
  }
}
