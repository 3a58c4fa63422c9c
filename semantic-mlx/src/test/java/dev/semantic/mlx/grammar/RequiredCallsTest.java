package dev.semantic.mlx.grammar;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion.VersionFlag;
import dev.semantic.generate.ChatMessage;
import dev.semantic.generate.Generation;
import dev.semantic.generate.GenerationRequest;
import dev.semantic.generate.GenerationResult;
import dev.semantic.generate.Prompt;
import dev.semantic.generate.Sampling;
import dev.semantic.generate.Tool;
import dev.semantic.generate.ToolCall;
import dev.semantic.generate.ToolChoice;
import dev.semantic.mlx.MlxModelRuntime;
import dev.semantic.mlx.testing.RequiresGrammar;
import dev.semantic.mlx.testing.RequiresModels;
import dev.semantic.model.ModelId;
import dev.semantic.registry.ModelRegistry;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A model of 135 million parameters, which would rather chat, calls tools where it must. */
@RequiresModels
@RequiresGrammar
@Timeout(300)
class RequiredCallsTest {
  private static final Duration PATIENCE = Duration.ofMinutes(3);
  private static final JsonMapper JSON = new JsonMapper();

  private static final Tool WEATHER =
      Tool.of(
          "get_weather",
          "tells the weather of a city",
          """
          {"type": "object", "required": ["city", "unit"], "properties": {
            "city": {"type": "string", "maxLength": 24},
            "unit": {"enum": ["celsius", "fahrenheit"]}}}\
          """);

  private static final Tool TIME =
      Tool.of(
          "get_time",
          "tells the time somewhere",
          """
          {"type": "object", "required": ["zone"], "additionalProperties": false, "properties": {
            "zone": {"type": "string", "pattern": "^[A-Z][a-z]{2,9}/[A-Z][a-z]{2,9}$"},
            "seconds": {"type": "boolean"}}}\
          """);

  private static ModelRegistry registry;

  @BeforeAll
  static void load() {
    registry = ModelRegistry.builder(MlxModelRuntime.open()).build();
    registry.load(new ModelId("smollm2-135m-instruct"));
  }

  @AfterAll
  static void close() {
    registry.close();
  }

  private static GenerationRequest asked(ToolChoice choice, int seed) {
    Prompt.Chat chat =
        new Prompt.Chat(List.of(ChatMessage.user("How are you today, number " + seed + "?")))
            .withTools(List.of(WEATHER, TIME))
            .withChoice(choice);
    return GenerationRequest.of(chat)
        .maxTokens(400)
        .sampling(Sampling.GREEDY.withTemperature(seed % 4 * 0.5).withSeed(seed))
        .build();
  }

  private static void assertFits(ToolCall call) throws IOException {
    Tool tool = call.name().equals(WEATHER.name()) ? WEATHER : TIME;
    assertEquals(tool.name(), call.name());
    assertTrue(
        JsonSchemaFactory.getInstance(VersionFlag.V202012)
            .getSchema(tool.parameters())
            .validate(JSON.readTree(call.arguments()))
            .isEmpty(),
        call.arguments());
  }

  @Test
  void itCallsEachTimeWhereItMust() throws IOException {
    List<Generation> answers = new ArrayList<>();
    for (int seed = 0; seed < 12; seed++) {
      answers.add(registry.generate(asked(ToolChoice.REQUIRED, seed)));
    }
    for (Generation each : answers) {
      GenerationResult answer = each.await(PATIENCE);
      assertFalse(answer.message().toolCalls().isEmpty(), answer.text());
      for (ToolCall call : answer.message().toolCalls()) {
        assertFits(call);
      }
    }
  }

  @Test
  void itCallsTheOneThatIsNamedOnceAndEnds() throws IOException {
    List<Generation> answers = new ArrayList<>();
    for (int seed = 0; seed < 12; seed++) {
      answers.add(registry.generate(asked(ToolChoice.named("get_time"), seed)));
    }
    for (Generation each : answers) {
      GenerationResult answer = each.await(PATIENCE);
      assertEquals(1, answer.message().toolCalls().size(), answer.text());
      assertEquals("get_time", answer.message().toolCalls().getFirst().name());
      assertEquals("", answer.message().content().strip());
      assertFits(answer.message().toolCalls().getFirst());
    }
  }
}
