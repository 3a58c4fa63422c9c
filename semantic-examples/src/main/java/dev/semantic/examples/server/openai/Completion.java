package dev.semantic.examples.server.openai;

import dev.semantic.examples.server.http.Json;
import dev.semantic.generate.GenerationResult;
import dev.semantic.generate.ToolCall;
import java.time.Instant;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What the parts of one completion have in common, in OpenAI's words.
 *
 * @param created in seconds since 1970
 */
record Completion(String id, String object, long created, String model) {
  static Completion of(String prefix, String object, String model) {
    return new Completion(
        prefix + UUID.randomUUID().toString().replace("-", ""),
        object,
        Instant.now().getEpochSecond(),
        model);
  }

  /** The fields that each part begins with. */
  Map<String, @Nullable Object> fields() {
    return Json.object(
        "id", id, "object", object, "created", created, "model", model, "system_fingerprint", null);
  }

  static Map<String, @Nullable Object> usage(GenerationResult result) {
    int said = result.tokens().size();
    return Json.object(
        "prompt_tokens",
        result.promptTokens(),
        "completion_tokens",
        said,
        "total_tokens",
        result.promptTokens() + said,
        "prompt_tokens_details",
        Json.object("cached_tokens", result.cachedTokens()));
  }

  /** Why it ended. */
  static String finish(GenerationResult result, boolean calls) {
    return switch (result.reason()) {
      case MAX_TOKENS, CONTEXT_FULL, TIME_LIMIT, PREEMPTED -> "length";
      case END_TOKEN, STOP_STRING, CANCELLED -> calls ? "tool_calls" : "stop";
    };
  }

  static Map<String, @Nullable Object> call(ToolCall call) {
    return Json.object(
        "id",
        call.id(),
        "type",
        "function",
        "function",
        Json.object("name", call.name(), "arguments", call.arguments()));
  }
}
