package dev.semantic.examples.server;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.semantic.generate.EngineMode;
import dev.semantic.scripted.PortCall;
import dev.semantic.scripted.Script;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** OpenAI's interfaces, over scripted models. */
class OpenAiTest {
  private static final String CHAT = "/v1/chat/completions";
  private static final String TOOLS =
      """
      "tools": [{"type": "function", "function": {"name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}}]\
      """;
  private static final String TWO_CALLS =
      """
      <tool_call>{"name": "weather", "arguments": {"city": "Bern"}}</tool_call>\
      <tool_call>{"name": "weather", "arguments": {"city": "Basel"}}</tool_call>\
      """;

  private static String chat(String more) {
    return """
    {"model": "alpha", "temperature": 0, "messages": [{"role": "user", "content": "Hi"}]%s}\
    """
        .formatted(more.isEmpty() ? "" : ", " + more);
  }

  /** What a stream says, without its end. */
  private static List<JsonNode> chunks(ServedModels.Reply reply) throws Exception {
    assertEquals(200, reply.status(), reply.response().body());
    List<String> lines =
        reply.response().body().lines().filter(line -> line.startsWith("data: ")).toList();
    assertEquals("data: [DONE]", lines.getLast());
    List<JsonNode> chunks = new ArrayList<>();
    for (String line : lines.subList(0, lines.size() - 1)) {
      chunks.add(new ObjectMapper().readTree(line.substring(6)));
    }
    return chunks;
  }

  @Test
  void anAnswerIsGivenWhole() throws Exception {
    try (ServedModels served = ServedModels.alpha(ServerOptions.LOCAL)) {
      served.say("Hello");
      JsonNode answer = served.post(CHAT, chat("")).json();
      assertEquals("chat.completion", answer.get("object").asText(), answer::toString);
      assertEquals("alpha", answer.get("model").asText());
      JsonNode choice = answer.get("choices").get(0);
      assertEquals("Hello", choice.get("message").get("content").asText());
      assertEquals("stop", choice.get("finish_reason").asText());
      JsonNode usage = answer.get("usage");
      assertEquals(6, usage.get("completion_tokens").asInt());
      assertEquals(
          usage.get("prompt_tokens").asInt() + 6,
          usage.get("total_tokens").asInt(),
          usage::toString);
    }
  }

  @Test
  void aStreamTellsWhoSpeaksWhatIsSaidWhyItEndsAndWhatItTook() throws Exception {
    try (ServedModels served = ServedModels.alpha(ServerOptions.LOCAL)) {
      served.say("Grüezi");
      List<JsonNode> chunks =
          chunks(
              served.post(
                  CHAT, chat("\"stream\": true, \"stream_options\": {\"include_usage\": true}")));
      assertEquals(
          "assistant", chunks.getFirst().at("/choices/0/delta/role").asText(), chunks::toString);
      StringBuilder said = new StringBuilder();
      chunks.forEach(chunk -> said.append(chunk.at("/choices/0/delta/content").asText()));
      assertEquals("Grüezi", said.toString());
      JsonNode end = chunks.get(chunks.size() - 2);
      assertEquals("stop", end.at("/choices/0/finish_reason").asText());
      assertTrue(end.get("usage").isNull());
      assertTrue(chunks.getLast().get("choices").isEmpty());
      assertEquals(8, chunks.getLast().at("/usage/completion_tokens").asInt());
    }
  }

  @Test
  void toolsAreCalled() throws Exception {
    try (ServedModels served = ServedModels.alpha(ServerOptions.LOCAL)) {
      served.say(TWO_CALLS);
      JsonNode choice = served.post(CHAT, chat(TOOLS)).json().get("choices").get(0);
      assertEquals("tool_calls", choice.get("finish_reason").asText(), choice::toString);
      assertTrue(choice.at("/message/content").isNull(), choice::toString);
      JsonNode calls = choice.at("/message/tool_calls");
      assertEquals(2, calls.size());
      assertEquals("weather", calls.get(0).at("/function/name").asText());
      JsonNode arguments =
          new ObjectMapper().readTree(calls.get(1).at("/function/arguments").asText());
      assertEquals("Basel", arguments.get("city").asText());
      String id = calls.get(0).get("id").asText();
      assertFalse(id.isEmpty());
      String next =
          """
          {"model": "alpha", %s, "messages": [{"role": "user", "content": "Hi"},
            {"role": "assistant", "content": null, "tool_calls": [%s]},
            {"role": "tool", "tool_call_id": "%s", "content": "sunny"}]}\
          """
              .formatted(TOOLS, calls.get(0), id);
      served.say("Sunny.");
      JsonNode answer = served.post(CHAT, next).json();
      assertEquals("Sunny.", answer.at("/choices/0/message/content").asText(), answer::toString);
    }
  }

  @Test
  void aStreamCallsOneToolWhereNoMoreAreWanted() throws Exception {
    try (ServedModels served = ServedModels.alpha(ServerOptions.LOCAL)) {
      served.say(TWO_CALLS);
      String body = chat(TOOLS + ", \"stream\": true, \"parallel_tool_calls\": false");
      List<JsonNode> chunks = chunks(served.post(CHAT, body));
      StringBuilder arguments = new StringBuilder();
      int begun = 0;
      for (JsonNode chunk : chunks) {
        JsonNode call = chunk.at("/choices/0/delta/tool_calls/0");
        begun += call.has("id") ? 1 : 0;
        arguments.append(call.at("/function/arguments").asText());
      }
      assertEquals(1, begun, chunks::toString);
      assertEquals("{\"city\":\"Bern\"}", arguments.toString().replace(" ", ""));
      assertEquals(
          "tool_calls", chunks.getLast().at("/choices/0/finish_reason").asText(), chunks::toString);
    }
  }

  @Test
  void textEndsAtAStopStringAndAtItsMostTokens() throws Exception {
    try (ServedModels served = ServedModels.alpha(ServerOptions.LOCAL)) {
      served.say("one two three");
      JsonNode stopped = served.post(CHAT, chat("\"stop\": [\" three\"]")).json();
      assertEquals("one two", stopped.at("/choices/0/message/content").asText());
      assertEquals("stop", stopped.at("/choices/0/finish_reason").asText());
    }
    try (ServedModels served = ServedModels.alpha(ServerOptions.LOCAL)) {
      served.say("one two three");
      String body = "{\"model\": \"alpha\", \"prompt\": \"Count: \", \"max_tokens\": 3}";
      JsonNode cut = served.post("/v1/completions", body).json();
      assertEquals("one", cut.at("/choices/0/text").asText(), cut::toString);
      assertEquals("length", cut.at("/choices/0/finish_reason").asText());
    }
  }

  @Test
  void anAgentsMemoryIsItsKeysOwn() throws Exception {
    ServerOptions options =
        ServerOptions.LOCAL.withKeys(Optional.of("admin"), List.of("one", "two"));
    try (ServedModels served = ServedModels.alpha(options)) {
      String body = chat("\"user\": \"ada\", \"max_tokens\": 4");
      assertEquals(0, cached(served.post(CHAT, body, "Authorization", "Bearer one")));
      assertTrue(cached(served.post(CHAT, body, "Authorization", "Bearer one")) > 0);
      assertEquals(0, cached(served.post(CHAT, body, "Authorization", "Bearer two")));
      String nobody = chat("\"max_tokens\": 4");
      assertTrue(
          cached(served.post(CHAT, nobody, "Authorization", "Bearer one", "X-Session-ID", "ada"))
              > 0);
    }
  }

  private static int cached(ServedModels.Reply reply) throws Exception {
    JsonNode answer = reply.json();
    return answer.at("/usage/prompt_tokens_details/cached_tokens").asInt(-1);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "{\"model\": \"alpha\"}; 400",
        "{\"model\": \"alpha\", \"messages\": []}; 400",
        "{\"model\": \"alpha\", \"messages\": \"Hi\"}; 400",
        "{\"model\": \"alpha\", \"messages\": [\"Hi\"]}; 400",
        "{\"model\": \"alpha\", \"messages\": [{\"role\": \"user\"}]}; 400",
        "{\"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}]}; 400",
        "{\"model\": \"beta\", \"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}]}; 404",
      })
  void whatIsNoConversationIsRefused(String body, int status) throws Exception {
    try (ServedModels served = ServedModels.alpha(ServerOptions.LOCAL)) {
      ServedModels.Reply reply = served.post(CHAT, body);
      assertEquals(status, reply.status(), reply.response().body());
      assertEquals("invalid_request_error", reply.json().at("/error/type").asText());
      assertFalse(reply.json().at("/error/message").asText().isEmpty());
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "\"n\": 2",
        "\"temperature\": 3",
        "\"temperature\": \"hot\"",
        "\"top_p\": -1",
        "\"max_tokens\": 0",
        "\"max_tokens\": 1.5",
        "\"logprobs\": true",
        "\"tool_choice\": \"required\"",
        "\"tools\": [{\"type\": \"function\"}]",
        "\"tools\": {}",
        "\"response_format\": {\"type\": \"xml\"}",
        "\"user\": \"../../etc\"",
        "\"user\": 7",
        "\"stop\": [\"\"]",
        "\"logit_bias\": {\"x\": 1}",
        "\"stream\": \"yes\""
      })
  void whatCannotBeIsRefused(String more) throws Exception {
    try (ServedModels served = ServedModels.alpha(ServerOptions.LOCAL)) {
      ServedModels.Reply reply = served.post(CHAT, chat(more));
      assertEquals(400, reply.status(), reply.response().body());
    }
  }

  @Test
  void aPromptThatDoesNotFitIsToldWithBothNumbers() throws Exception {
    try (ServedModels served = ServedModels.alpha(ServerOptions.LOCAL)) {
      String body = chat("").replace("Hi", "a".repeat(5000));
      ServedModels.Reply reply = served.post(CHAT, body);
      assertEquals(400, reply.status());
      JsonNode error = reply.json().get("error");
      assertEquals("context_length_exceeded", error.get("code").asText());
      assertTrue(error.get("message").asText().matches(".*50\\d\\d.*4096.*"), error::toString);
    }
  }

  @Test
  void whatWaitsForASwapTooLongMayComeAgain() throws Exception {
    ServerOptions options = ServerOptions.LOCAL.withMaxWait(Duration.ofMillis(100));
    try (ServedModels served = ServedModels.alpha(options)) {
      Script.Hold hold = served.script.hold(PortCall.FORWARD);
      CompletableFuture<ServedModels.Reply> first =
          CompletableFuture.supplyAsync(
              () -> {
                try {
                  return served.post(CHAT, chat("\"max_tokens\": 3"));
                } catch (IOException | InterruptedException e) {
                  throw new IllegalStateException(e);
                }
              });
      hold.awaitReached();
      assertEquals(202, served.post("/admin/models/swap", "{\"model\": \"beta\"}").status());
      await().until(() -> served.registry.status().engine() == EngineMode.DRAINING);
      ServedModels.Reply reply = served.post(CHAT, chat(""));
      assertEquals(503, reply.status(), reply.response().body());
      assertTrue(Integer.parseInt(reply.header("Retry-After")) > 0);
      hold.release();
      assertEquals(200, first.get(10, TimeUnit.SECONDS).status());
    }
  }

  @Test
  void whoGoesAwayEndsTheAnswerOfItsStream() throws Exception {
    try (ServedModels served = ServedModels.alpha(ServerOptions.LOCAL)) {
      served.say("x".repeat(200));
      Script.Hold hold = served.script.hold(PortCall.FORWARD, 20);
      String body = chat("\"stream\": true");
      try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), served.server.port())) {
        String request =
            "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s"
                .formatted(CHAT, body.length(), body);
        socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
        hold.awaitReached();
        assertEquals(1, served.registry.status().running());
        socket.setSoLinger(true, 0); // at once
      }
      int before = served.script.count(PortCall.FORWARD);
      served.script.onVisit(call -> LockSupport.parkNanos(5_000_000)); // as long as steps take
      hold.release();
      await().atMost(Duration.ofSeconds(20)).until(() -> served.registry.status().running() == 0);
      int after = served.script.count(PortCall.FORWARD);
      assertTrue(after < before + 100, after - before + " steps for nobody");
    }
  }

  @Test
  void withoutAModelNobodyIsAnswered() throws Exception {
    try (ServedModels served = new ServedModels(ServerOptions.LOCAL)) {
      ServedModels.Reply reply = served.post(CHAT, chat(""));
      assertEquals(503, reply.status(), reply.response().body());
      assertTrue(Integer.parseInt(reply.header("Retry-After")) > 0);
    }
  }

  @Test
  void embeddingsAreNotSupported() throws Exception {
    try (ServedModels served = ServedModels.alpha(ServerOptions.LOCAL)) {
      ServedModels.Reply reply = served.post("/v1/embeddings", "{\"input\": \"a\"}");
      assertEquals(400, reply.status());
      assertTrue(reply.json().at("/error/message").asText().contains("not supported"));
    }
  }
}
