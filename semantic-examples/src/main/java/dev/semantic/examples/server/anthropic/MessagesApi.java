package dev.semantic.examples.server.anthropic;

import dev.semantic.examples.server.clients.Answer;
import dev.semantic.examples.server.clients.Answers;
import dev.semantic.examples.server.http.Fields;
import dev.semantic.examples.server.http.Json;
import dev.semantic.generate.GenerationEvent;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.HttpService;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;

/** {@code /v1/messages}, and how many tokens one would have. */
public final class MessagesApi implements HttpService {
  private final Answers answers;

  public MessagesApi(Answers answers) {
    this.answers = answers;
  }

  @Override
  public void routing(HttpRules rules) {
    rules.post("/", this::answer).post("/count_tokens", this::count);
  }

  private void answer(ServerRequest request, ServerResponse response) {
    MessagesBody body = MessagesBody.of(request, answers);
    Answer answer = answers.begin(body.ask());
    if (body.stream()) {
      try (MessageStream stream = new MessageStream(response, answer, body)) {
        stream.send();
      }
      return;
    }
    Json.send(
        response,
        200,
        Message.whole(
            answer.model(),
            answer.await(
                event -> !body.parallelCalls() && event instanceof GenerationEvent.CallComplete),
            body));
  }

  private void count(ServerRequest request, ServerResponse response) {
    Fields body = answers.read(request);
    MessagesBody.requireNoThread(body);
    int tokens = answers.count(body.requiredText("model"), Messages.of(body));
    Json.send(response, 200, Json.object("input_tokens", tokens));
  }
}
