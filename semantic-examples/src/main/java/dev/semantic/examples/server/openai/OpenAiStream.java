package dev.semantic.examples.server.openai;

import dev.semantic.examples.server.clients.Answer;
import dev.semantic.examples.server.http.ErrorShape;
import dev.semantic.examples.server.http.EventStream;
import dev.semantic.examples.server.http.HttpFailure;
import dev.semantic.examples.server.http.Json;
import dev.semantic.generate.GenerationEvent;
import dev.semantic.generate.GenerationResult;
import dev.semantic.generate.RequestException;
import io.helidon.webserver.http.ServerResponse;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The chunks of one completion. Begins with the first thing that there is to tell, so that what is
 * refused before has a status. For one thread.
 */
final class OpenAiStream implements AutoCloseable {
  private final ServerResponse response;
  private final Completion completion;
  private final boolean includeUsage;
  private @Nullable EventStream events;

  OpenAiStream(ServerResponse response, Completion completion, boolean includeUsage) {
    this.response = response;
    this.completion = completion;
    this.includeUsage = includeUsage;
  }

  /**
   * Tells an answer to its end.
   *
   * @param choice sends what an event adds
   * @param last the choice of the last chunk
   */
  void follow(
      Answer answer,
      Consumer<GenerationEvent> choice,
      Function<GenerationResult, Map<String, @Nullable Object>> last) {
    GenerationResult result;
    try {
      result = answer.follow(choice, () -> open().comment());
    } catch (RequestException e) {
      if (events == null) {
        throw e;
      }
      open().send(ErrorShape.OPENAI.body(HttpFailure.of(e)));
      return;
    }
    send(last.apply(result));
    if (includeUsage) {
      Map<String, @Nullable Object> fields = completion.fields();
      fields.put("choices", List.of());
      fields.put("usage", Completion.usage(result));
      open().send(fields);
    }
    open().done();
  }

  /** Sends a chunk with one choice. */
  void send(Map<String, @Nullable Object> choice) {
    Map<String, @Nullable Object> fields = completion.fields();
    fields.put("choices", List.of(choice));
    if (includeUsage) {
      fields.put("usage", null);
    }
    open().send(fields);
  }

  /** Sends a chunk with what it adds to the message. */
  void sendDelta(Map<String, @Nullable Object> delta) {
    send(Json.object("index", 0, "delta", delta, "logprobs", null, "finish_reason", null));
  }

  private EventStream open() {
    EventStream open = events;
    if (open == null) {
      open = EventStream.open(response);
      events = open;
    }
    return open;
  }

  @Override
  public void close() {
    if (events != null) {
      events.close();
    }
  }
}
