package dev.semantic.examples.server.anthropic;

import dev.semantic.examples.server.clients.Answers;
import dev.semantic.examples.server.clients.Ask;
import dev.semantic.examples.server.clients.SamplingFields;
import dev.semantic.examples.server.http.Fields;
import dev.semantic.examples.server.http.HttpFailure;
import dev.semantic.examples.server.http.Json;
import dev.semantic.generate.Constraint;
import io.helidon.webserver.http.ServerRequest;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * What a request for a message says.
 *
 * @param stream whether the answer comes in events
 * @param parallelCalls whether the model may call several tools at once
 */
record MessagesBody(Ask ask, boolean stream, boolean parallelCalls) {
  /**
   * Reads it.
   *
   * @throws HttpFailure if it makes no sense, or asks for what this server can't do
   */
  static MessagesBody of(ServerRequest request, Answers answers) {
    Fields body = answers.read(request);
    requireNoThread(body);
    OptionalInt most = SamplingFields.count(body, "max_tokens", 1);
    if (most.isEmpty()) {
      throw HttpFailure.invalid("max_tokens is missing");
    }
    Ask ask =
        new Ask(
            body.requiredText("model"),
            Messages.of(body),
            answers.agent(request, body),
            SamplingFields.of(body, 1),
            most,
            body.texts("stop_sequences"),
            constraint(body));
    boolean one =
        body.object("tool_choice").filter(c -> c.flag("disable_parallel_tool_use")).isPresent();
    return new MessagesBody(ask, body.flag("stream"), !one);
  }

  /** Clients that know this answer send the whole conversation then. */
  static void requireNoThread(Fields body) {
    if (body.has("thread")) {
      throw HttpFailure.invalid("Threads are not supported; send all messages")
          .with(
              Json.object(
                  "details",
                  Json.object(
                      "error_code",
                      "thread_unsupported_request",
                      "unsupported",
                      List.of("thread"))));
    }
  }

  private static Optional<Constraint> constraint(Fields body) {
    return body.object("output_config")
        .flatMap(config -> config.object("format"))
        .map(
            format -> {
              if (!format.requiredText("type").equals("json_schema")) {
                throw HttpFailure.invalid("output_config.format.type must be json_schema");
              }
              Fields schema =
                  format
                      .object("schema")
                      .orElseThrow(
                          () -> HttpFailure.invalid("output_config.format.schema is missing"));
              return new Constraint.JsonSchema(Json.write(schema.all()));
            });
  }

  /** The stop sequence that ended an answer; null if that could be one of several. */
  @Nullable String onlyStop() {
    return ask.stop().size() == 1 ? ask.stop().getFirst() : null;
  }
}
