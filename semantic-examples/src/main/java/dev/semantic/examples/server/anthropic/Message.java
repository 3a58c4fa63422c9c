package dev.semantic.examples.server.anthropic;

import dev.semantic.examples.server.http.Json;
import dev.semantic.generate.ChatMessage;
import dev.semantic.generate.FinishReason;
import dev.semantic.generate.GenerationResult;
import dev.semantic.generate.ToolCall;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** An answer in Anthropic's words. */
final class Message {
  private Message() {}

  /** One that has said nothing yet. */
  static Map<String, @Nullable Object> empty(String model) {
    return Json.object(
        "id",
        "msg_" + UUID.randomUUID().toString().replace("-", ""),
        "type",
        "message",
        "role",
        "assistant",
        "model",
        model,
        "content",
        List.of(),
        "stop_reason",
        null,
        "stop_sequence",
        null,
        "usage",
        usage(0, 0, 0, 0));
  }

  static Map<String, @Nullable Object> whole(
      String model, GenerationResult result, MessagesBody body) {
    List<ToolCall> calls =
        result.message().toolCalls().stream()
            .limit(body.parallelCalls() ? Long.MAX_VALUE : 1)
            .toList();
    Map<String, @Nullable Object> fields = empty(model);
    fields.put("content", content(result.message(), calls));
    fields.putAll(end(result, !calls.isEmpty(), body));
    fields.put("usage", usage(result, body));
    return fields;
  }

  private static List<Object> content(ChatMessage message, List<ToolCall> calls) {
    List<Object> blocks = new ArrayList<>();
    if (!message.reasoning().isEmpty()) {
      blocks.add(Json.object("type", "thinking", "thinking", message.reasoning(), "signature", ""));
    }
    if (!message.content().isBlank()) {
      blocks.add(Json.object("type", "text", "text", message.content()));
    }
    for (ToolCall call : calls) {
      blocks.add(
          Json.object(
              "type", "tool_use", "id", call.id(), "name", call.name(), "input", call.values()));
    }
    return blocks;
  }

  /** Why it ended. */
  static Map<String, @Nullable Object> end(
      GenerationResult result, boolean calls, MessagesBody body) {
    String reason =
        switch (result.reason()) {
          case END_TOKEN, CANCELLED -> calls ? "tool_use" : "end_turn";
          case STOP_STRING -> "stop_sequence";
          case CONTEXT_FULL -> "model_context_window_exceeded";
          case MAX_TOKENS, TIME_LIMIT, PREEMPTED -> "max_tokens";
        };
    boolean stopped = result.reason() == FinishReason.STOP_STRING;
    return Json.object("stop_reason", reason, "stop_sequence", stopped ? body.onlyStop() : null);
  }

  /**
   * What of the prompt was read from an agent's cache, what was written to it, and what is in none:
   * of an agent's that is the last token, whose computation begins the answer.
   */
  static Map<String, @Nullable Object> usage(GenerationResult result, MessagesBody body) {
    int computed = result.promptTokens() - result.cachedTokens();
    int created = body.ask().agent().isPresent() ? Math.max(0, computed - 1) : 0;
    return usage(computed - created, created, result.cachedTokens(), result.tokens().size());
  }

  private static Map<String, @Nullable Object> usage(int input, int created, int read, int output) {
    return Json.object(
        "input_tokens",
        input,
        "cache_creation_input_tokens",
        created,
        "cache_read_input_tokens",
        read,
        "output_tokens",
        output);
  }
}
