package dev.semantic.examples.server.openai;

import dev.semantic.examples.server.clients.Answers;
import dev.semantic.examples.server.clients.Ask;
import dev.semantic.examples.server.clients.SamplingFields;
import dev.semantic.examples.server.http.Fields;
import dev.semantic.examples.server.http.HttpFailure;
import dev.semantic.examples.server.http.Json;
import dev.semantic.generate.Constraint;
import dev.semantic.generate.Prompt;
import io.helidon.webserver.http.ServerRequest;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * What a request for a chat completion says.
 *
 * @param stream whether the answer comes in chunks
 * @param includeUsage whether the last chunk tells what it took
 * @param parallelCalls whether the model may call several tools at once
 */
record ChatBody(Ask ask, boolean stream, boolean includeUsage, boolean parallelCalls) {
  private static final String ANY_OBJECT = "{\"type\":\"object\"}";

  /**
   * Reads it.
   *
   * @throws HttpFailure if it makes no sense, or asks for what this server can't do
   */
  static ChatBody of(ServerRequest request, Answers answers) {
    Fields body = answers.read(request);
    requireSupported(body);
    OptionalInt most = SamplingFields.count(body, "max_completion_tokens", 1);
    Ask ask =
        new Ask(
            body.requiredText("model"),
            chat(body),
            answers.agent(request, body),
            SamplingFields.of(body, 2),
            most.isPresent() ? most : SamplingFields.count(body, "max_tokens", 1),
            body.texts("stop"),
            constraint(body));
    return new ChatBody(
        ask,
        body.flag("stream"),
        includeUsage(body),
        !body.has("parallel_tool_calls") || body.flag("parallel_tool_calls"));
  }

  static boolean includeUsage(Fields body) {
    return body.object("stream_options").filter(o -> o.flag("include_usage")).isPresent();
  }

  /** What both kinds of completions have in common that this server can't do. */
  static void requireSupported(Fields body) {
    requireOne(body, "n");
    requireOne(body, "best_of");
    if (body.all().get("logprobs") instanceof Integer || body.flag("logprobs")) {
      throw HttpFailure.unsupported("logprobs");
    }
    for (String name : List.of("functions", "function_call", "audio")) {
      if (body.has(name)) {
        throw HttpFailure.unsupported(name);
      }
    }
  }

  private static void requireOne(Fields body, String name) {
    if (body.has(name) && body.whole(name).orElse(1) != 1) {
      throw HttpFailure.invalid("%s must be 1: there is one answer".formatted(name));
    }
  }

  private static Prompt.Chat chat(Fields body) {
    Map<String, @Nullable Object> parts =
        Json.object("messages", body.objects("messages").stream().map(Fields::all).toList());
    if (body.has("tools")) {
      parts.put("tools", body.objects("tools").stream().map(Fields::all).toList());
    }
    parts.put("tool_choice", body.all().get("tool_choice"));
    body.object("chat_template_kwargs").ifPresent(variables -> parts.putAll(variables.all()));
    return Prompt.Chat.of(parts);
  }

  private static Optional<Constraint> constraint(Fields body) {
    Optional<Fields> format = body.object("response_format");
    if (format.isEmpty()) {
      return Optional.empty();
    }
    String type = format.get().requiredText("type");
    return switch (type) {
      case "text" -> Optional.empty();
      case "json_object" -> Optional.of(new Constraint.JsonSchema(ANY_OBJECT));
      case "json_schema" -> {
        Fields said =
            format
                .get()
                .object("json_schema")
                .orElseThrow(() -> HttpFailure.invalid("response_format.json_schema is missing"));
        Map<String, @Nullable Object> schema =
            said.object("schema").map(Fields::all).orElseGet(() -> Json.object("type", "object"));
        yield Optional.of(new Constraint.JsonSchema(Json.write(schema)));
      }
      default ->
          throw HttpFailure.invalid(
              "response_format.type must be text, json_object or json_schema; it is '%s'"
                  .formatted(type));
    };
  }
}
