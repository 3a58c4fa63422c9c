package dev.semantic.examples.server.openai;

import dev.semantic.examples.server.clients.Answer;
import dev.semantic.examples.server.clients.Answers;
import dev.semantic.examples.server.clients.Ask;
import dev.semantic.examples.server.clients.SamplingFields;
import dev.semantic.examples.server.http.Fields;
import dev.semantic.examples.server.http.HttpFailure;
import dev.semantic.examples.server.http.Json;
import dev.semantic.generate.GenerationEvent;
import dev.semantic.generate.GenerationResult;
import dev.semantic.generate.Prompt;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.HttpService;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** {@code /v1/completions}: plain text that goes on. */
public final class CompletionsApi implements HttpService {
  /** As OpenAI has it where nothing is said. */
  private static final int USUAL_TOKENS = 16;

  private final Answers answers;

  public CompletionsApi(Answers answers) {
    this.answers = answers;
  }

  @Override
  public void routing(HttpRules rules) {
    rules.post("/", this::complete);
  }

  private void complete(ServerRequest request, ServerResponse response) {
    Fields body = answers.read(request);
    ChatBody.requireSupported(body);
    if (body.flag("echo") || body.has("suffix")) {
      throw HttpFailure.unsupported("echo or suffix");
    }
    OptionalInt most = SamplingFields.count(body, "max_tokens", 1);
    Ask ask =
        new Ask(
            body.requiredText("model"),
            prompt(body),
            answers.agent(request, body),
            SamplingFields.of(body, 2),
            OptionalInt.of(most.orElse(USUAL_TOKENS)),
            body.texts("stop"),
            Optional.empty());
    Answer answer = answers.begin(ask);
    Completion completion = Completion.of("cmpl-", "text_completion", answer.model());
    if (body.flag("stream")) {
      try (OpenAiStream stream =
          new OpenAiStream(response, completion, ChatBody.includeUsage(body))) {
        stream.follow(
            answer,
            event -> {
              if (event instanceof GenerationEvent.Token token && !token.text().isEmpty()) {
                stream.send(choice(token.text(), null));
              }
            },
            result -> choice("", Completion.finish(result, false)));
      }
      return;
    }
    GenerationResult result = answer.await(event -> false);
    Map<String, @Nullable Object> fields = completion.fields();
    fields.put("choices", List.of(choice(result.text(), Completion.finish(result, false))));
    fields.put("usage", Completion.usage(result));
    Json.send(response, 200, fields);
  }

  /** A text, or a list of one; or tokens. */
  private static Prompt prompt(Fields body) {
    if (body.all().get("prompt") instanceof List<?> list
        && !list.isEmpty()
        && list.stream().allMatch(Integer.class::isInstance)) {
      return new Prompt.Tokens(list.stream().mapToInt(each -> (Integer) each).toArray());
    }
    List<String> texts = body.texts("prompt");
    if (texts.size() != 1) {
      throw HttpFailure.invalid("prompt must be one text; there are " + texts.size());
    }
    return new Prompt.Text(texts.getFirst());
  }

  private static Map<String, @Nullable Object> choice(String text, @Nullable String finish) {
    return Json.object("index", 0, "text", text, "logprobs", null, "finish_reason", finish);
  }
}
