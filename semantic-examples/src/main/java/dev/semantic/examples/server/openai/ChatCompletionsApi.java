package dev.semantic.examples.server.openai;

import dev.semantic.examples.server.clients.Answer;
import dev.semantic.examples.server.clients.Answers;
import dev.semantic.examples.server.http.Json;
import dev.semantic.generate.ChatMessage;
import dev.semantic.generate.GenerationEvent;
import dev.semantic.generate.GenerationResult;
import dev.semantic.generate.ToolCall;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.HttpService;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** {@code /v1/chat/completions}. */
public final class ChatCompletionsApi implements HttpService {
  private final Answers answers;

  public ChatCompletionsApi(Answers answers) {
    this.answers = answers;
  }

  @Override
  public void routing(HttpRules rules) {
    rules.post("/", this::complete);
  }

  private void complete(ServerRequest request, ServerResponse response) {
    ChatBody body = ChatBody.of(request, answers);
    Answer answer = answers.begin(body.ask());
    if (body.stream()) {
      Completion completion = Completion.of("chatcmpl-", "chat.completion.chunk", answer.model());
      try (OpenAiStream stream = new OpenAiStream(response, completion, body.includeUsage())) {
        new ChatChunks(stream, body.parallelCalls()).send(answer);
      }
      return;
    }
    // Its events tell when a call is complete, before the model begins another one.
    GenerationResult result =
        answer.await(
            event -> !body.parallelCalls() && event instanceof GenerationEvent.CallComplete);
    Json.send(
        response,
        200,
        whole(Completion.of("chatcmpl-", "chat.completion", answer.model()), result, body));
  }

  private static Map<String, @Nullable Object> whole(
      Completion completion, GenerationResult result, ChatBody body) {
    ChatMessage said = result.message();
    List<ToolCall> calls =
        said.toolCalls().stream().limit(body.parallelCalls() ? Long.MAX_VALUE : 1).toList();
    Map<String, @Nullable Object> message = Json.object("role", "assistant");
    message.put("content", said.content().isEmpty() && !calls.isEmpty() ? null : said.content());
    message.put("refusal", null);
    if (!said.reasoning().isEmpty()) {
      message.put("reasoning_content", said.reasoning());
    }
    if (!calls.isEmpty()) {
      message.put("tool_calls", calls.stream().map(Completion::call).toList());
    }
    Map<String, @Nullable Object> fields = completion.fields();
    fields.put(
        "choices",
        List.of(
            Json.object(
                "index",
                0,
                "message",
                message,
                "logprobs",
                null,
                "finish_reason",
                Completion.finish(result, !calls.isEmpty()))));
    fields.put("usage", Completion.usage(result));
    return fields;
  }
}
