package dev.semantic.examples.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Anthropic's Messages, over scripted models. */
class AnthropicTest {
  private static final String MESSAGES = "/v1/messages?beta=true";
  private static final String TOOLS =
      """
      "tools": [{"name": "weather", "description": "tells it",
        "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}}]\
      """;
  private static final String CALL =
      """
      Look: <tool_call>{"name": "weather", "arguments": {"city": "Bern"}}</tool_call>\
      """;

  private static String message(String more) {
    return """
    {"model": "alpha", "max_tokens": 200, "temperature": 0,
      "messages": [{"role": "user", "content": "Hi"}]%s}\
    """
        .formatted(more.isEmpty() ? "" : ", " + more);
  }

  /** The data of a stream's events, each of which has the name of its type. */
  private static List<JsonNode> events(ServedModels.Reply reply) throws Exception {
    assertEquals(200, reply.status(), reply.response().body());
    List<JsonNode> events = new ArrayList<>();
    String name = "";
    for (String line : reply.response().body().lines().toList()) {
      if (line.startsWith("event: ")) {
        name = line.substring(7);
      } else if (line.startsWith("data: ")) {
        JsonNode event = new ObjectMapper().readTree(line.substring(6));
        assertEquals(name, event.get("type").asText());
        if (!name.equals("ping")) {
          events.add(event);
        }
      }
    }
    return events;
  }

  private static List<String> types(List<JsonNode> events) {
    return events.stream().map(event -> event.get("type").asText()).distinct().toList();
  }

  @Test
  void anAnswerIsGivenWhole() throws Exception {
    try (ServedModels served = ServedModels.alpha(ServerOptions.LOCAL)) {
      served.say("Hello");
      JsonNode answer = served.post(MESSAGES, message("\"system\": \"Be brief.\"")).json();
      assertEquals("message", answer.get("type").asText(), answer::toString);
      assertEquals("assistant", answer.get("role").asText());
      assertEquals("Hello", answer.at("/content/0/text").asText());
      assertEquals("end_turn", answer.get("stop_reason").asText());
      assertTrue(answer.get("stop_sequence").isNull());
      assertEquals(
          "system: Be brief.\nuser: Hi\n".length(), answer.at("/usage/input_tokens").asInt());
      assertEquals(6, answer.at("/usage/output_tokens").asInt());
    }
  }

  @Test
  void systemAndMessagesMayBeTextsOrBlocks() throws Exception {
    try (ServedModels served = ServedModels.alpha(ServerOptions.LOCAL)) {
      String texts =
          """
          {"model": "alpha", "system": "S", "messages": [{"role": "user", "content": "Hi"}]}\
          """;
      String blocks =
          """
          {"model": "alpha", "system": [{"type": "text", "text": "S", "cache_control": {"type": "ephemeral"}}],
            "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]}\
          """;
      String count = "/v1/messages/count_tokens";
      int tokens = served.post(count, texts).json().get("input_tokens").asInt();
      assertEquals("system: S\nuser: Hi\n".length(), tokens);
      assertEquals(tokens, served.post(count, blocks).json().get("input_tokens").asInt());
    }
  }

  @Test
  void aStreamTellsItsEventsInTheirOrder() throws Exception {
    try (ServedModels served = ServedModels.alpha(ServerOptions.LOCAL)) {
      served.say(CALL);
      List<JsonNode> events = events(served.post(MESSAGES, message(TOOLS + ", \"stream\": true")));
      assertEquals(
          List.of(
              "message_start",
              "content_block_start",
              "content_block_delta",
              "content_block_stop",
              "message_delta",
              "message_stop"),
          types(events));
      assertEquals("alpha", events.getFirst().at("/message/model").asText());
      StringBuilder said = new StringBuilder();
      StringBuilder input = new StringBuilder();
      List<String> blocks = new ArrayList<>();
      for (JsonNode event : events) {
        said.append(event.at("/delta/text").asText());
        input.append(event.at("/delta/partial_json").asText());
        if (event.has("content_block")) {
          assertEquals(blocks.size(), event.get("index").asInt());
          blocks.add(event.at("/content_block/type").asText());
        }
      }
      assertEquals(List.of("text", "tool_use"), blocks);
      assertEquals("Look:", said.toString().strip());
      assertEquals("Bern", new ObjectMapper().readTree(input.toString()).get("city").asText());
      JsonNode end = events.get(events.size() - 2);
      assertEquals("tool_use", end.at("/delta/stop_reason").asText());
      assertTrue(end.at("/usage/output_tokens").asInt() > 50, end::toString);
    }
  }

  @Test
  void aToolsResultIsRead() throws Exception {
    try (ServedModels served = ServedModels.alpha(ServerOptions.LOCAL)) {
      served.say(CALL);
      JsonNode asked = served.post(MESSAGES, message(TOOLS)).json();
      assertEquals("tool_use", asked.get("stop_reason").asText(), asked::toString);
      JsonNode call = asked.at("/content/1");
      assertEquals("Bern", call.at("/input/city").asText());
      String next =
          """
          {"model": "alpha", "max_tokens": 200, %s, "messages": [{"role": "user", "content": "Hi"},
            {"role": "assistant", "content": %s},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "%s",
              "content": [{"type": "text", "text": "sunny"}]}, {"type": "text", "text": "So?"}]}]}\
          """
              .formatted(TOOLS, asked.get("content"), call.get("id").asText());
      served.say("Sunny.");
      JsonNode answer = served.post(MESSAGES, next).json();
      assertEquals("Sunny.", answer.at("/content/0/text").asText(), answer::toString);
    }
  }

  @Test
  void anAgentsCacheIsReadAndWritten() throws Exception {
    try (ServedModels served = ServedModels.alpha(ServerOptions.LOCAL)) {
      String body = message("\"metadata\": {\"user_id\": \"{\\\"session_id\\\": \\\"s\\\"}\"}");
      JsonNode first = served.post(MESSAGES, body).json().get("usage");
      assertEquals(0, first.get("cache_read_input_tokens").asInt());
      assertTrue(first.get("cache_creation_input_tokens").asInt() > 0, first::toString);
      JsonNode second = served.post(MESSAGES, body).json().get("usage");
      assertTrue(second.get("cache_read_input_tokens").asInt() > 0, second::toString);
      assertEquals("user: Hi\n".length(), prompt(first));
      assertEquals("user: Hi\n".length(), prompt(second));
    }
  }

  private static int prompt(JsonNode usage) {
    return usage.get("input_tokens").asInt()
        + usage.get("cache_read_input_tokens").asInt()
        + usage.get("cache_creation_input_tokens").asInt();
  }

  @Test
  void aStopSequenceIsTold() throws Exception {
    try (ServedModels served = ServedModels.alpha(ServerOptions.LOCAL)) {
      served.say("one two three");
      JsonNode answer = served.post(MESSAGES, message("\"stop_sequences\": [\" two\"]")).json();
      assertEquals("one", answer.at("/content/0/text").asText());
      assertEquals("stop_sequence", answer.get("stop_reason").asText());
      assertEquals(" two", answer.get("stop_sequence").asText());
    }
  }

  @Test
  void threadsAreRefusedAsClientsExpectIt() throws Exception {
    try (ServedModels served = ServedModels.alpha(ServerOptions.LOCAL)) {
      ServedModels.Reply reply =
          served.post(MESSAGES, message("\"thread\": {\"type\": \"create\"}"));
      assertEquals(400, reply.status());
      assertEquals(
          "thread_unsupported_request", reply.json().at("/error/details/error_code").asText());
    }
  }

  @Test
  void aPromptThatDoesNotFitIsToldInTheWordsThatClientsKnow() throws Exception {
    try (ServedModels served = ServedModels.alpha(ServerOptions.LOCAL)) {
      ServedModels.Reply reply = served.post(MESSAGES, message("").replace("Hi", "a".repeat(5000)));
      assertEquals(400, reply.status());
      String message = reply.json().at("/error/message").asText();
      assertTrue(message.matches("prompt is too long: 50\\d\\d tokens > 4096 maximum"), message);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"model\": \"alpha\", \"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}]}",
        "{\"model\": \"alpha\", \"max_tokens\": 9}",
        "{\"model\": \"alpha\", \"max_tokens\": 9, \"messages\": [{\"role\": \"boss\", \"content\":"
            + " \"\"}]}",
        "{\"model\": \"alpha\", \"max_tokens\": 9, \"messages\": [{\"role\": \"user\", \"content\":"
            + " [{\"type\": \"video\"}]}]}",
        "{\"model\": \"alpha\", \"max_tokens\": 9, \"messages\": [{\"role\": \"user\", \"content\":"
            + " [{\"type\": \"image\"}]}]}",
        "{\"model\": \"alpha\", \"max_tokens\": 9, \"messages\": [{\"role\": \"user\", \"content\":"
            + " [{\"type\": \"tool_result\", \"tool_use_id\": \"x\"}]}]}",
        "{\"model\": \"alpha\", \"max_tokens\": 9, \"messages\": [{\"role\": \"user\", \"content\":"
            + " \"Hi\"}], \"tool_choice\": {\"type\": \"any\"}}",
        "{\"model\": \"alpha\", \"max_tokens\": 9, \"messages\": [{\"role\": \"user\", \"content\":"
            + " \"Hi\"}], \"temperature\": 1.5}",
        "{\"model\": \"alpha\", \"max_tokens\": 9, \"messages\": [{\"role\": \"user\", \"content\":"
            + " \"Hi\"}], \"tools\": [{\"type\": \"web_search_20250305\", \"name\":"
            + " \"web_search\"}]}"
      })
  void whatMakesNoSenseIsRefused(String body) throws Exception {
    try (ServedModels served = ServedModels.alpha(ServerOptions.LOCAL)) {
      ServedModels.Reply reply = served.post(MESSAGES, body);
      assertEquals(400, reply.status(), reply.response().body());
      assertEquals("error", reply.json().get("type").asText());
      assertEquals("invalid_request_error", reply.json().at("/error/type").asText());
      assertFalse(reply.json().at("/error/message").asText().isEmpty());
    }
  }
}
