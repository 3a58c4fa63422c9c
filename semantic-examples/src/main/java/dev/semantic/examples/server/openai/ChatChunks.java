package dev.semantic.examples.server.openai;

import dev.semantic.examples.server.clients.Answer;
import dev.semantic.examples.server.http.Json;
import dev.semantic.generate.GenerationEvent;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A chat completion in chunks: who speaks, what is said and called, why it ended. */
final class ChatChunks {
  private final OpenAiStream stream;
  private final boolean parallelCalls;
  private boolean begun;
  private int calls;

  ChatChunks(OpenAiStream stream, boolean parallelCalls) {
    this.stream = stream;
    this.parallelCalls = parallelCalls;
  }

  void send(Answer answer) {
    stream.follow(
        answer,
        event -> tell(answer, event),
        result -> {
          begin();
          return Json.object(
              "index",
              0,
              "delta",
              Json.object(),
              "logprobs",
              null,
              "finish_reason",
              Completion.finish(result, calls > 0));
        });
  }

  private void begin() {
    if (!begun) {
      begun = true;
      stream.sendDelta(Json.object("role", "assistant", "content", ""));
    }
  }

  private void tell(Answer answer, GenerationEvent event) {
    begin();
    if (!parallelCalls && calls == 1 && !(event instanceof GenerationEvent.CallArguments)) {
      if (event instanceof GenerationEvent.CallComplete) {
        answer.generation().cancel();
      }
      return;
    }
    switch (event) {
      case GenerationEvent.Reasoning(String text) ->
          stream.sendDelta(Json.object("reasoning_content", text));
      case GenerationEvent.Text(String text) -> stream.sendDelta(Json.object("content", text));
      case GenerationEvent.BrokenCall(String text, String why) ->
          stream.sendDelta(Json.object("content", text));
      case GenerationEvent.CallBegun(int index, String id, String name) -> {
        calls++;
        sendCall(
            Json.object(
                "index",
                index,
                "id",
                id,
                "type",
                "function",
                "function",
                Json.object("name", name, "arguments", "")));
      }
      case GenerationEvent.CallArguments(int index, String json) -> {
        if (parallelCalls || index == 0) {
          sendCall(Json.object("index", index, "function", Json.object("arguments", json)));
        }
      }
      default -> {}
    }
  }

  private void sendCall(Map<String, @Nullable Object> call) {
    stream.sendDelta(Json.object("tool_calls", List.of(call)));
  }
}
