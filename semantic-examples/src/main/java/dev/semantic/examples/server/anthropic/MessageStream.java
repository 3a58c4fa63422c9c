package dev.semantic.examples.server.anthropic;

import dev.semantic.examples.server.clients.Answer;
import dev.semantic.examples.server.http.ErrorShape;
import dev.semantic.examples.server.http.EventStream;
import dev.semantic.examples.server.http.HttpFailure;
import dev.semantic.examples.server.http.Json;
import dev.semantic.generate.GenerationEvent;
import dev.semantic.generate.GenerationResult;
import dev.semantic.generate.RequestException;
import io.helidon.webserver.http.ServerResponse;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A message in events: its start, block by block what is thought, said and called, its end. Begins
 * with the first thing that there is to tell, so that what is refused before has a status. For one
 * thread.
 */
final class MessageStream implements AutoCloseable {
  private final ServerResponse response;
  private final Answer answer;
  private final MessagesBody body;
  private @Nullable EventStream events;
  private String block = ""; // the type of the one that is open
  private int index = -1;
  private int calls;

  MessageStream(ServerResponse response, Answer answer, MessagesBody body) {
    this.response = response;
    this.answer = answer;
    this.body = body;
  }

  /** Tells the answer to its end. */
  void send() {
    GenerationResult result;
    try {
      result = answer.follow(this::tell, () -> open().send("ping", Json.object("type", "ping")));
    } catch (RequestException e) {
      if (events == null) {
        throw e;
      }
      open().send("error", ErrorShape.ANTHROPIC.body(HttpFailure.of(e)));
      return;
    }
    endBlock();
    open()
        .send(
            "message_delta",
            Json.object(
                "type",
                "message_delta",
                "delta",
                Message.end(result, calls > 0, body),
                "usage",
                Message.usage(result, body)));
    open().send("message_stop", Json.object("type", "message_stop"));
  }

  private EventStream open() {
    EventStream open = events;
    if (open == null) {
      open = EventStream.open(response);
      events = open;
      open.send(
          "message_start",
          Json.object("type", "message_start", "message", Message.empty(answer.model())));
      open.send("ping", Json.object("type", "ping"));
    }
    return open;
  }

  private void tell(GenerationEvent event) {
    open();
    if (!body.parallelCalls() && calls == 1 && block.isEmpty()) {
      return; // the one call is complete
    }
    switch (event) {
      case GenerationEvent.Reasoning(String text) -> {
        inBlock("thinking", Json.object("type", "thinking", "thinking", "", "signature", ""));
        sendDelta(Json.object("type", "thinking_delta", "thinking", text));
      }
      case GenerationEvent.Text(String text) -> say(text);
      case GenerationEvent.BrokenCall(String text, String why) -> say(text);
      case GenerationEvent.CallBegun(int call, String id, String name) -> {
        endBlock();
        calls++;
        inBlock(
            "tool_use",
            Json.object("type", "tool_use", "id", id, "name", name, "input", Json.object()));
      }
      case GenerationEvent.CallArguments(int call, String json) ->
          sendDelta(Json.object("type", "input_json_delta", "partial_json", json));
      case GenerationEvent.CallComplete complete -> {
        endBlock();
        if (!body.parallelCalls()) {
          answer.generation().cancel();
        }
      }
      default -> {}
    }
  }

  /** Blanks between blocks are none. */
  private void say(String text) {
    if (block.equals("text") || !text.isBlank()) {
      inBlock("text", Json.object("type", "text", "text", ""));
      sendDelta(Json.object("type", "text_delta", "text", text));
    }
  }

  private void inBlock(String type, Map<String, @Nullable Object> start) {
    if (!block.equals(type)) {
      endBlock();
      block = type;
      index++;
      open()
          .send(
              "content_block_start",
              Json.object("type", "content_block_start", "index", index, "content_block", start));
    }
  }

  private void sendDelta(Map<String, @Nullable Object> delta) {
    open()
        .send(
            "content_block_delta",
            Json.object("type", "content_block_delta", "index", index, "delta", delta));
  }

  private void endBlock() {
    if (block.isEmpty()) {
      return;
    }
    if (block.equals("thinking")) {
      sendDelta(Json.object("type", "signature_delta", "signature", ""));
    }
    block = "";
    open().send("content_block_stop", Json.object("type", "content_block_stop", "index", index));
  }

  @Override
  public void close() {
    if (events != null) {
      events.close();
    }
  }
}
