package dev.semantic.examples.cli;

import static dev.semantic.examples.cli.InProcess.run;
import static dev.semantic.examples.testing.Project.GEMMA;
import static dev.semantic.examples.testing.Project.SMOL;
import static dev.semantic.examples.testing.Project.ints;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.semantic.examples.testing.Project;
import dev.semantic.examples.testing.RequiresModels;
import dev.semantic.examples.testing.Run;
import dev.semantic.pip.PipModels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The commands over the real models, against what mlx-lm and llama.cpp make of the same files. */
@RequiresModels
class ModelCommandsTest {
  private static final String[] GENERATED = {
    "prompt_tokens",
    "tokens",
    "text",
    "ttft_ms",
    "prefill_tokens_per_second",
    "decode_tokens_per_second",
    "finish_reason",
    "tool_calls",
    "reasoning"
  };

  private static final String[] INFO = {
    "architecture",
    "parameters",
    "layers",
    "context_length",
    "quantization",
    "compute",
    "file_bytes",
    "weight_bytes",
    "working_bytes",
    "kv_precision",
    "kv_bytes_per_token",
    "fingerprint"
  };

  @TempDir private Path directory = Path.of("");

  private static String list(int[] tokens) {
    return Arrays.stream(tokens).mapToObj(Integer::toString).collect(Collectors.joining(","));
  }

  @ParameterizedTest
  @CsvSource({
    "smollm2-135m-instruct, llama, 134515008, 30, 8192, Q4_1, 46080",
    "gemma-3-270m, gemma3, 268098176, 18, 32768, Q5_0, 36864"
  })
  void info(
      String model,
      String architecture,
      long parameters,
      int layers,
      int context,
      String quantization,
      int kvBytes)
      throws IOException {
    JsonNode info = run("info", model, "--json").json(INFO);
    assertEquals(architecture, info.get("architecture").asText());
    assertEquals(parameters, info.get("parameters").asLong());
    assertEquals(layers, info.get("layers").asInt());
    assertEquals(context, info.get("context_length").asInt());
    assertEquals(quantization, info.get("quantization").asText());
    assertEquals(kvBytes, info.get("kv_bytes_per_token").asInt()); // float32, as on a CPU
    assertEquals("float32", info.get("compute").asText());
    assertTrue(info.get("weight_bytes").asLong() >= 4 * parameters);
    assertTrue(info.get("fingerprint").asText().matches("[0-9a-f]{64}"));
  }

  @Test
  void aSmallBudgetKeepsWeightsQuantised() throws IOException {
    JsonNode info = run("info", SMOL, "--json", "--budget", "500MiB").json(INFO);
    assertEquals("quantised, float32 scales", info.get("compute").asText());
    assertTrue(info.get("weight_bytes").asLong() < 200_000_000, info.toString());
    run("info", SMOL, "--budget", "much").assertFailed(2, "--budget");
  }

  @ParameterizedTest
  @CsvSource({"smollm2-135m-instruct, tokens-smollm2", "gemma-3-270m, tokens-gemma3"})
  void tokenize(String model, String key) throws IOException {
    for (JsonNode pair : Project.reference().get(key)) {
      Run run = run("tokenize", model, "--json", "--", pair.get(0).asText());
      assertArrayEquals(ints(pair.get(1)), ints(run.json("tokens").get("tokens")), run.out());
    }
  }

  @Test
  void bosIsPutFirstWhenAskedFor() throws IOException {
    JsonNode plain = run("tokenize", GEMMA, "Hello world", "--json").json("tokens").get("tokens");
    JsonNode bos =
        run("tokenize", GEMMA, "--bos", "Hello world", "--json").json("tokens").get("tokens");
    assertEquals("[9259,1902]", plain.toString());
    assertEquals("[2,9259,1902]", bos.toString());
    assertEquals("2,9259,1902\n", run("tokenize", GEMMA, "--bos", "Hello world").out());
  }

  @Test
  void render() throws IOException {
    for (JsonNode expected : Project.reference().get("SmolLM2-135M-Instruct.Q4_1")) {
      Path file = directory.resolve("messages.json");
      Files.writeString(file, expected.get("messages").toString());
      JsonNode rendered =
          run("render", SMOL, "--messages", file.toString(), "--json").json("text", "tokens");
      assertEquals(expected.get("rendered").asText(), rendered.get("text").asText());
      assertArrayEquals(ints(expected.get("prompt_ids")), ints(rendered.get("tokens")));
    }
  }

  @Test
  void aBaseModelRendersNothing() throws IOException {
    Path file = directory.resolve("messages.json");
    Files.writeString(file, "[{\"role\": \"user\", \"content\": \"Hi\"}]");
    run("render", GEMMA, "--messages", file.toString(), "--json").assertFailed(1, "template");
    run("generate", GEMMA, "--messages", file.toString()).assertFailed(1, "template");
  }

  @ParameterizedTest
  @CsvSource({
    "smollm2-135m-instruct, SmolLM2-135M-Instruct.Q4_1, 49152",
    "gemma-3-270m, gemma-3-270m-q4_k_m, 262144"
  })
  void logitsAfterTheLastTokenAndAfterAnEarlierOne(String model, String key, int vocabulary)
      throws IOException {
    JsonNode expected = Project.reference().get(key).get(0);
    int[] prompt = ints(expected.get("prompt_ids"));
    int[] longer = Arrays.copyOf(prompt, prompt.length + 1);
    longer[prompt.length] = 5;
    String position = Integer.toString(prompt.length - 1);
    JsonNode last = run("logits", model, "--tokens", list(prompt), "--json").json("logits");
    JsonNode earlier =
        run("logits", model, "--tokens", list(longer), "--position", position, "--json")
            .json("logits");
    assertEquals(vocabulary, last.get("logits").size());
    for (JsonNode top : expected.get("top8_after_prompt")) {
      int token = top.get(0).asInt();
      assertEquals(top.get(1).asDouble(), last.get("logits").get(token).asDouble(), 0.02);
    }
    assertEquals(last, earlier);
  }

  @Test
  void logitsForPeople() {
    Run run = run("logits", SMOL, "--tokens", " 1, 9690 ,198");
    assertEquals(0, run.code(), run::toString);
    assertEquals(10, run.out().lines().count(), run.out());
  }

  @Test
  void tokensAndPositionsOutsideAreNamed() {
    run("logits", SMOL, "--tokens", "1,49152", "--json").assertFailed(1, "49152", "49151");
    run("logits", SMOL, "--tokens", "-1").assertFailed(1, "-1");
    run("logits", SMOL, "--tokens", "1,99999999999999999999").assertFailed(1, "99999999999999");
    run("logits", SMOL, "--tokens", "1,2", "--position", "2").assertFailed(2, "0 to 1");
    run("logits", SMOL, "--tokens", "1,2", "--position", "-1").assertFailed(2, "0 to 1");
    run("generate", SMOL, "--tokens", "49152", "--json").assertFailed(1, "49152", "49151");
    String tooMany = list(new int[8193]);
    run("logits", SMOL, "--tokens", tooMany).assertFailed(1, "8193", "8192");
    run("generate", SMOL, "--tokens", tooMany).assertFailed(1, "8193", "8192");
  }

  @Test
  void anAgentGoesOnWhereItsLastRunEnded() throws IOException {
    int[] prompt =
        ints(Project.reference().get("SmolLM2-135M-Instruct.Q4_1").get(0).get("prompt_ids"));
    JsonNode first = generateAs("ada", prompt);
    assertEquals(0, first.get("cached_tokens").asInt());
    assertTrue(first.get("parked_bytes").asLong() > 0);
    int[] answer = ints(first.get("tokens"));
    int[] said = Arrays.copyOf(prompt, prompt.length + answer.length);
    System.arraycopy(answer, 0, said, prompt.length, answer.length);
    JsonNode second = generateAs("ada", said);
    assertEquals(said.length - 1, second.get("cached_tokens").asInt());
    assertEquals(0, generateAs("bob", prompt).get("cached_tokens").asInt());
    JsonNode fresh =
        run("generate", SMOL, "--tokens", list(said), "--max-tokens", "4", "--json")
            .json(GENERATED);
    assertArrayEquals(ints(fresh.get("tokens")), ints(second.get("tokens")));
    run("generate", SMOL, "--tokens", "1", "--agent", "ada").assertFailed(2, "--cache-dir");
    run("generate", SMOL, "--tokens", "1", "--agent", "", "--cache-dir", directory.toString())
        .assertFailed(2, "--agent");
  }

  @Test
  void anAgentIsKeptInFewerBits() throws IOException {
    int[] prompt =
        ints(Project.reference().get("SmolLM2-135M-Instruct.Q4_1").get(0).get("prompt_ids"));
    long exact = generateAs("exact", prompt, "--kv", "exact").get("parked_bytes").asLong();
    long usual = generateAs("usual", prompt).get("parked_bytes").asLong();
    assertTrue(Math.abs(exact - usual) <= 64, "an agent's name is in the file: " + usual);
    JsonNode eight = generateAs("eight", prompt, "--kv", "q8");
    JsonNode four = generateAs("four", prompt, "--kv", "q4");
    assertTrue(eight.get("parked_bytes").asLong() < exact * 0.3, eight::toString);
    assertTrue(four.get("parked_bytes").asLong() < exact * 0.17, four::toString);
    int[] answer = ints(four.get("tokens"));
    int[] said = Arrays.copyOf(prompt, prompt.length + answer.length);
    System.arraycopy(answer, 0, said, prompt.length, answer.length);
    for (String agent : List.of("eight", "four")) { // whatever it is kept in then
      assertEquals(said.length - 1, generateAs(agent, said).get("cached_tokens").asInt());
    }
    run(
            "generate",
            SMOL,
            "--tokens",
            "1",
            "--agent",
            "x",
            "--cache-dir",
            directory.toString(),
            "--kv",
            "q5")
        .assertFailed(2, "--kv", "'q5' is none of exact, q8 and q4");
  }

  private JsonNode generateAs(String agent, int[] tokens, String... more) throws IOException {
    List<String> fields = new ArrayList<>(List.of(GENERATED));
    fields.addAll(List.of("cached_tokens", "parked_bytes"));
    List<String> words = new ArrayList<>(List.of("generate", SMOL, "--tokens", list(tokens)));
    words.addAll(List.of("--max-tokens", "4", "--agent", agent, "--json"));
    words.addAll(List.of("--cache-dir", directory.resolve("caches").toString()));
    words.addAll(List.of(more));
    return run(words.toArray(String[]::new)).json(fields.toArray(String[]::new));
  }

  @ParameterizedTest
  @CsvSource({
    "smollm2-135m-instruct, SmolLM2-135M-Instruct.Q4_1, 512",
    "smollm2-135m-instruct, SmolLM2-135M-Instruct.Q4_1, 3",
    "gemma-3-270m, gemma-3-270m-q4_k_m, 2"
  })
  void generateFromTokens(String model, String key, String chunk) throws IOException {
    JsonNode expected = Project.reference().get(key).get(0);
    int[] prompt = ints(expected.get("prompt_ids"));
    int[] greedy = ints(expected.get("greedy"));
    JsonNode answer =
        run(
                "generate",
                model,
                "--tokens",
                list(prompt),
                "--chunk",
                chunk,
                "--ignore-eos",
                "--max-tokens",
                Integer.toString(greedy.length),
                "--json")
            .json(GENERATED);
    assertArrayEquals(greedy, ints(answer.get("tokens")));
    assertEquals(expected.get("greedy_text").asText(), answer.get("text").asText());
    assertEquals(prompt.length, answer.get("prompt_tokens").asInt());
    assertTrue(answer.get("ttft_ms").asDouble() > 0);
    assertTrue(answer.get("prefill_tokens_per_second").asDouble() > 0);
    assertTrue(answer.get("decode_tokens_per_second").asDouble() > 0);
  }

  @Test
  void generateFromAConversationStopsWhereTheModelStops() throws IOException {
    JsonNode expected = Project.reference().get("SmolLM2-135M-Instruct.Q4_1").get(0);
    Path file = directory.resolve("messages.json");
    Files.writeString(file, expected.get("messages").toString());
    Run run = run("generate", SMOL, "--messages", file.toString(), "--json");
    JsonNode answer = run.json(GENERATED);
    assertEquals("The capital of France is Paris.", answer.get("text").asText());
    assertEquals("stop", answer.get("finish_reason").asText());
    assertEquals(0, answer.get("tool_calls").size());
    assertEquals("", answer.get("reasoning").asText());
    Run forPeople = run("generate", SMOL, "--messages", file.toString());
    assertEquals("The capital of France is Paris.\n", forPeople.out());
    String[] cut = {"generate", SMOL, "--messages", file.toString(), "--max-tokens", "2", "--json"};
    assertEquals("length", run(cut).json(GENERATED).get("finish_reason").asText());
  }

  /** What {@code render} shows is what {@code generate} computes, tools and all. */
  @Test
  void aConversationMayHaveTools() throws IOException {
    Path tools = directory.resolve("tools.json");
    Files.writeString(tools, "[{\"name\": \"weather\", \"parameters\": {\"type\": \"object\"}}]");
    Path file = directory.resolve("messages.json");
    Files.writeString(
        file,
        """
        [{"role": "user", "content": "How is it?"},
         {"role": "assistant", "content": null, "tool_calls": [
          {"id": "a", "function": {"name": "weather", "arguments": {"city": "Bern"}}}]},
         {"role": "tool", "tool_call_id": "a", "content": "sunny"}]
        """);
    String[] generate = {
      "generate",
      SMOL,
      "--messages",
      file.toString(),
      "--tools",
      tools.toString(),
      "--max-tokens",
      "4",
      "--json"
    };
    JsonNode answer = run(generate).json(GENERATED);
    JsonNode shown =
        run("render", SMOL, "--messages", file.toString(), "--tools", tools.toString(), "--json")
            .json("text", "tokens");
    assertEquals(shown.get("tokens").size(), answer.get("prompt_tokens").asInt());
    assertTrue(shown.get("text").asText().contains("<tool_response>\nsunny"), shown::toString);
    String[] refused = {
      "generate",
      SMOL,
      "--messages",
      file.toString(),
      "--tools",
      tools.toString(),
      "--tool-choice",
      "time"
    };
    run(refused).assertFailed(2, "--tool-choice", "'time'", "weather");
    run("generate", SMOL, "--prompt", "a", "--set", "b=1").assertFailed(2, "--messages");
    Files.writeString(tools, "[{\"name\": \"weather\"}, {\"name\": \"weather\"}]");
    run(generate).assertFailed(1, "Tools 1 and 2", "'weather'");
    Files.writeString(file, "[{\"role\": \"tool\", \"tool_call_id\": \"x\", \"content\": \"1\"}]");
    Files.writeString(tools, "[]");
    run(generate).assertFailed(1, "Message 1", "'x'");
  }

  @Test
  void generateFromTextPutsBosWhereTheModelWantsIt() throws IOException {
    JsonNode expected = Project.reference().get("gemma-3-270m-q4_k_m").get(0);
    String[] command = {
      "generate", GEMMA, "--prompt", expected.get("text").asText(), "--max-tokens", "8", "--json"
    };
    JsonNode answer = run(command).json(GENERATED);
    assertArrayEquals(Arrays.copyOf(ints(expected.get("greedy")), 8), ints(answer.get("tokens")));
    assertEquals(expected.get("prompt_ids").size(), answer.get("prompt_tokens").asInt());
  }

  @Test
  void theSameSeedSaysTheSame() throws IOException {
    String[] command = {
      "generate",
      SMOL,
      "--prompt",
      "Once upon a time",
      "--temperature",
      "1.2",
      "--max-tokens",
      "16",
      "--json",
      "--seed",
      "7"
    };
    JsonNode first = run(command).json(GENERATED).get("tokens");
    assertEquals(first, run(command).json(GENERATED).get("tokens"));
    command[command.length - 1] = "8";
    assertTrue(!first.equals(run(command).json(GENERATED).get("tokens")), first::toString);
  }

  @Test
  void whatIsNoModelIsNamed() throws IOException {
    Path smol = PipModels.catalog().path(PipModels.SMOLLM2);
    Path missing = directory.resolve("missing.gguf");
    Path empty = Files.createFile(directory.resolve("empty.gguf"));
    Path text = Files.writeString(directory.resolve("text.gguf"), "Once upon a time there was");
    Path truncated = directory.resolve("truncated.gguf");
    try (var in = Files.newInputStream(smol)) {
      Files.write(truncated, in.readNBytes(50_000_000));
    }
    for (Path bad : new Path[] {missing, empty, text, truncated}) {
      String name = bad.toString();
      run("info", name, "--json").assertFailed(1, name);
      run("logits", name, "--tokens", "1", "--json").assertFailed(1, name);
      run("generate", name, "--tokens", "1", "--json").assertFailed(1, name);
      run("tokenize", name, "a").assertFailed(1, name);
    }
    run("info", directory.toString()).assertFailed(1, directory.toString(), "3 .gguf files");
    run("info", "").assertFailed(1, "blank");
    run("info", "a\0b").assertFailed(1);
    run("generate", SMOL, "--prompt", "").assertFailed(1, "no tokens");
    run("generate", SMOL, "--messages", missing.toString()).assertFailed(1, missing.toString());
    run("generate", SMOL, "--messages", text.toString()).assertFailed(1, text.toString());
  }

  @Test
  void aDirectoryWithOneModelIsThatModel() throws IOException {
    Path smol = PipModels.catalog().path(PipModels.SMOLLM2);
    Files.createSymbolicLink(directory.resolve("model.gguf"), smol);
    assertTrue(run("info", directory.toString()).out().contains("llama"));
  }

  @Test
  void wrongNumbersAreWrongUsage() {
    run("generate", SMOL, "--prompt", "a", "--max-tokens", "0").assertFailed(2, "--max-tokens");
    run("generate", SMOL, "--prompt", "a", "--chunk", "-3").assertFailed(2, "--chunk");
    run("generate", SMOL, "--prompt", "a", "--temperature", "-1").assertFailed(2, "temperature");
    run("generate", SMOL, "--prompt", "a", "--temperature", "NaN").assertFailed(2, "temperature");
  }
}
