package dev.semantic.mlx.grammar;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SchemaValidatorsConfig;
import com.networknt.schema.SpecVersion.VersionFlag;
import com.networknt.schema.ValidationMessage;
import dev.semantic.generate.Constraint;
import dev.semantic.generate.FinishReason;
import dev.semantic.generate.Generation;
import dev.semantic.generate.GenerationRequest;
import dev.semantic.generate.GenerationResult;
import dev.semantic.generate.Prompt;
import dev.semantic.generate.Sampling;
import dev.semantic.mlx.MlxModelRuntime;
import dev.semantic.mlx.testing.RequiresGrammar;
import dev.semantic.mlx.testing.RequiresModels;
import dev.semantic.model.ModelId;
import dev.semantic.registry.ModelRegistry;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.OffsetTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Answers of the real models, hot, are what their schemas describe, in the eyes of a library that
 * is not ours. {@code -Dsemantic.constraints=N}: N answers of each model; a few otherwise.
 */
@RequiresModels
@RequiresGrammar
@Timeout(3600)
class ConformanceTest {
  private static final int ANSWERS = Integer.getInteger("semantic.constraints", 8);

  /** Prime to how many there are: a few answers are of many kinds, many are of all. */
  private static final int STRIDE = 7;

  private static final int AT_A_TIME = 16;
  private static final Duration PATIENCE = Duration.ofMinutes(5);
  private static final JsonMapper JSON = new JsonMapper();

  private record Asked(String schema, Generation answer) {}

  private static List<String> schemas() throws IOException {
    try (InputStream in =
        Objects.requireNonNull(ConformanceTest.class.getResourceAsStream("schemas.jsonl"))) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList();
    }
  }

  private static GenerationRequest.Builder question(int seed) {
    return GenerationRequest.of(
            new Prompt.Text("An example of it, as JSON, number " + seed + ":\n"))
        .maxTokens(300)
        .sampling(Sampling.GREEDY.withTemperature(1.5).withSeed(seed));
  }

  @ParameterizedTest
  @ValueSource(strings = {"smollm2-135m-instruct", "gemma-3-270m"})
  void hotAnswersAreWhatTheirSchemasDescribe(String model) throws IOException {
    List<String> schemas = schemas();
    assertTrue(schemas.size() >= 40);
    int whole = 0;
    try (ModelRegistry registry = ModelRegistry.builder(MlxModelRuntime.open()).build()) {
      registry.load(new ModelId(model));
      List<Asked> asked = new ArrayList<>();
      for (int i = 0; i < ANSWERS; i++) {
        String schema = schemas.get(i * STRIDE % schemas.size());
        GenerationRequest request =
            question(i).constraint(new Constraint.JsonSchema(schema)).build();
        asked.add(new Asked(schema, registry.generate(request)));
        if (asked.size() == AT_A_TIME || i == ANSWERS - 1) {
          for (Asked each : asked) {
            whole += validate(each) ? 1 : 0;
          }
          asked.clear();
        }
      }
    }
    System.out.printf("%s: %d answers, %d of them whole and valid%n", model, ANSWERS, whole);
    assertTrue(whole >= ANSWERS / 2, "only " + whole + " of " + ANSWERS + " came to their end");
  }

  private static boolean validate(Asked asked) throws IOException {
    GenerationResult answer = asked.answer().await(PATIENCE);
    if (answer.reason() == FinishReason.MAX_TOKENS) {
      return false;
    }
    SchemaValidatorsConfig strict =
        SchemaValidatorsConfig.builder().formatAssertionsEnabled(true).build();
    JsonSchema schema =
        JsonSchemaFactory.getInstance(VersionFlag.V202012).getSchema(asked.schema(), strict);
    assertEquals(
        List.of(),
        schema.validate(JSON.readTree(answer.text())).stream()
            .filter(said -> !isTime(said))
            .toList(),
        () -> answer.text() + " is not " + asked.schema());
    return true;
  }

  /** The library adds an offset's minutes without a carry, and refuses 11:23:32-11:46. */
  private static boolean isTime(ValidationMessage said) {
    if (!"format".equals(said.getType()) || !said.getMessage().contains("RFC 3339 time")) {
      return false;
    }
    OffsetTime.parse(said.getInstanceNode().asText()); // throws unless it is one
    return true;
  }

  @ParameterizedTest
  @ValueSource(strings = {"smollm2-135m-instruct", "gemma-3-270m"})
  void aConstraintThatAllowsEverythingChangesNothing(String model) {
    try (ModelRegistry registry = ModelRegistry.builder(MlxModelRuntime.open()).build()) {
      registry.load(new ModelId(model));
      GenerationRequest.Builder asked =
          GenerationRequest.of(new Prompt.Text("The capital of France is")).maxTokens(40);
      List<Integer> free = registry.generate(asked.build()).await(PATIENCE).tokens();
      GenerationRequest bound = asked.constraint(new Constraint.Regex("(.|\\n)*")).build();
      assertEquals(free, registry.generate(bound).await(PATIENCE).tokens());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"smollm2-135m-instruct", "gemma-3-270m"})
  void aSeedDrawsTheSameAloneAndAmongOthers(String model) throws IOException {
    Constraint schema = new Constraint.JsonSchema(schemas().getFirst());
    try (ModelRegistry registry = ModelRegistry.builder(MlxModelRuntime.open()).build()) {
      registry.load(new ModelId(model));
      for (Constraint constraint : List.of(schema, new Constraint.Regex("(.|\\n)*"))) {
        GenerationRequest request = question(7).maxTokens(30).constraint(constraint).build();
        List<Integer> alone = registry.generate(request).await(PATIENCE).tokens();
        List<Generation> others = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
          others.add(registry.generate(question(100 + i).maxTokens(30).build()));
        }
        List<Integer> among = registry.generate(request).await(PATIENCE).tokens();
        others.forEach(each -> each.await(PATIENCE));
        assertEquals(alone, among);
      }
    }
  }
}
