package dev.semantic.examples.cli;

import static dev.semantic.examples.cli.InProcess.run;
import static dev.semantic.examples.testing.Project.GEMMA;
import static dev.semantic.examples.testing.Project.SMOL;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.semantic.examples.testing.Project;
import dev.semantic.examples.testing.RequiresModels;
import dev.semantic.examples.testing.Run;
import dev.semantic.swap.SwapPhase;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code swap} and {@code soak} over the two real models, in this process. */
@RequiresModels
class SwapCommandTest {
  private static final String BOTH = "8GiB";
  private static final String ONE = "1500MiB";
  private static final List<String> SWAP =
      List.of(
          "from",
          "to",
          "outcome",
          "serving",
          "strategy",
          "phases_ms",
          "blackout_ms",
          "total_ms",
          "active_bytes_before",
          "active_bytes_after_unload",
          "reclaimed",
          "agents_parked",
          "agents_restored",
          "error");

  @TempDir private Path directory = Path.of("");

  @Test
  void agentsTalkOnAndRememberWhenTheirModelReturns() throws IOException {
    JsonNode told =
        run(
                "swap",
                SMOL,
                GEMMA,
                SMOL,
                "--agents",
                "2",
                "--max-tokens",
                "6",
                "--budget",
                ONE,
                "--json")
            .json("swaps", "answers", "live_handles");
    assertEquals(0, told.get("live_handles").asInt());
    assertEquals(2, told.get("swaps").size());
    for (JsonNode swap : told.get("swaps")) {
      assertEquals(SWAP, swap.properties().stream().map(e -> e.getKey()).toList());
      assertEquals("swapped", swap.get("outcome").asText());
      assertEquals("break_before_make", swap.get("strategy").asText());
      assertEquals(swap.get("to"), swap.get("serving"));
      assertTrue(swap.get("error").isNull());
      assertEquals(1, swap.get("reclaimed").asDouble(), 0.001);
      assertTrue(swap.get("active_bytes_after_unload").asLong() < 10_000_000, swap::toString);
      assertTrue(swap.get("active_bytes_before").asLong() > 500_000_000, swap::toString);
      assertEquals(2, swap.get("agents_parked").asInt());
      double blackout = swap.get("blackout_ms").asDouble();
      assertTrue(0 < blackout && blackout <= swap.get("total_ms").asDouble(), swap::toString);
    }
    assertEquals(2, told.get("swaps").get(1).get("agents_restored").asInt());
    for (String agent : List.of("agent-1", "agent-2")) {
      List<JsonNode> answers = of(told.get("answers"), agent);
      List<String> models = answers.stream().map(a -> a.get("model").asText()).distinct().toList();
      assertEquals(List.of(SMOL, GEMMA), models);
      JsonNode last = answers.getLast();
      assertEquals(SMOL, last.get("model").asText());
      assertEquals(last.get("prompt_tokens").asInt() - 1, last.get("cached_tokens").asInt());
      assertEachContinuesTheOneBefore(answers);
    }
  }

  private static List<JsonNode> of(JsonNode answers, String agent) {
    return StreamSupport.stream(answers.spliterator(), false)
        .filter(answer -> agent.equals(answer.get("agent").asText()))
        .toList();
  }

  private static void assertEachContinuesTheOneBefore(List<JsonNode> answers) {
    for (String model : List.of(SMOL, GEMMA)) {
      int expected = 0;
      for (JsonNode answer : answers) {
        if (model.equals(answer.get("model").asText())) {
          assertEquals(6, answer.get("tokens").size());
          int prompt = answer.get("prompt_tokens").asInt();
          assertTrue(expected == 0 || prompt == expected, answers::toString);
          assertEquals(expected == 0 ? 0 : prompt - 1, answer.get("cached_tokens").asInt());
          expected = prompt + 6;
        }
      }
    }
  }

  static Stream<Arguments> everyPhaseInBothOrders() {
    return Stream.of(SwapPhase.values())
        .filter(phase -> phase != SwapPhase.ROLLING_BACK)
        .flatMap(phase -> Stream.of(Arguments.of(phase, BOTH), Arguments.of(phase, ONE)));
  }

  @ParameterizedTest(name = "{0} fails within {1}")
  @MethodSource("everyPhaseInBothOrders")
  void aPhaseThatFailsLeavesTheModelBefore(SwapPhase phase, String budget) throws IOException {
    String name = phase.name().toLowerCase(Locale.ROOT);
    JsonNode told =
        run(
                "swap",
                SMOL,
                GEMMA,
                "--agents",
                "1",
                "--max-tokens",
                "3",
                "--budget",
                budget,
                "--fail",
                name,
                "--json")
            .json("swaps", "answers", "live_handles");
    JsonNode swap = told.get("swaps").get(0);
    assertEquals(SMOL, swap.get("serving").asText(), swap::toString);
    boolean nothingTouched = phase == SwapPhase.PREPARING;
    assertEquals(
        nothingTouched ? "refused" : "rolled_back", swap.get("outcome").asText(), swap::toString);
    assertTrue(swap.get("error").asText().contains("--fail"), swap::toString);
    if (!nothingTouched) {
      String strategy = budget.equals(BOTH) ? "make_before_break" : "break_before_make";
      assertEquals(strategy, swap.get("strategy").asText());
    }
    List<JsonNode> answers = of(told.get("answers"), "agent-1");
    assertTrue(answers.size() > 1, "nobody asked after the swap");
    // where unloading comes last, the new model has served for a moment
    boolean served = phase == SwapPhase.UNLOADING && budget.equals(BOTH);
    assertTrue(
        answers.stream()
            .map(answer -> answer.get("model").asText())
            .allMatch(by -> served || SMOL.equals(by)),
        answers::toString);
    assertEquals(SMOL, answers.getLast().get("model").asText(), answers::toString);
    assertTrue(answers.getLast().get("cached_tokens").asInt() > 0, "the rollback lost a cache");
    assertEquals(0, told.get("live_handles").asInt());
  }

  @Test
  void memoryAndBlocksAreTheSameSwapAfterSwap() throws IOException {
    String where = directory.resolve("caches").toString();
    String[] command = {
      "soak",
      SMOL,
      GEMMA,
      "--swaps",
      "4",
      "--agents",
      "2",
      "--max-tokens",
      "4",
      "--seed",
      "3",
      "--cache-dir",
      where,
      "--json"
    };
    JsonNode told = soaked(run(command));
    assertEquals(4, told.get("swaps").size());
    assertEquals(0, told.get("wrong_model_answers").asInt());
    assertEquals(0, told.get("lost_requests").asInt());
    assertEquals(0, told.get("live_handles").asInt());
    assertTrue(told.get("found").get("interrupted").isNull());
    assertEquals(0, told.get("found").get("parked").get(SMOL).asInt());
    int[] blocks = Project.ints(told.get("available_blocks"));
    assertArrayEquals(new int[] {blocks[0], blocks[1], blocks[0], blocks[1]}, blocks);
    JsonNode memory = told.get("memory");
    for (int i = 0; i < 2; i++) { // a retained model would be 500 times as much
      assertEquals(memory.get(i).asDouble(), memory.get(i + 2).asDouble(), 1 << 20);
    }
    assertEquals(4, told.get("rss").size());
    assertTrue(told.get("rss").get(0).asLong() > memory.get(0).asLong());

    command[4] = "0";
    JsonNode again = soaked(run(command));
    assertEquals(2, again.get("found").get("parked").get(SMOL).asInt());
    assertEquals(2, again.get("found").get("parked").get(GEMMA).asInt());
    JsonNode first = again.get("answers").get(0);
    assertEquals(first.get("prompt_tokens").asInt() - 1, first.get("cached_tokens").asInt());
    assertOwners(directory.resolve("caches/transcripts"));
  }

  private static JsonNode soaked(Run run) throws IOException {
    return new Run(run.code(), run.out(), "")
        .json(
            "found",
            "swaps",
            "answers",
            "memory",
            "rss",
            "available_blocks",
            "wrong_model_answers",
            "lost_requests",
            "refused_requests",
            "live_handles");
  }

  private static void assertOwners(Path files) throws IOException {
    List<Path> found = new ArrayList<>();
    try (Stream<Path> all = Files.list(files)) {
      all.forEach(found::add);
    }
    assertFalse(found.isEmpty());
    for (Path file : found) {
      assertEquals(2, Files.getPosixFilePermissions(file).size(), file::toString);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "chat nosuch",
        "swap nosuch smollm2-135m-instruct",
        "swap smollm2-135m-instruct nosuch",
        "soak smollm2-135m-instruct nosuch --swaps 1 --agents 1"
      })
  void modelsThatDoNotExistAreNamedBeforeAnythingIsLoaded(String words) {
    run(words.split(" ", -1)).assertFailed(1, "There is no model nosuch");
  }

  @Test
  void aModelThatNeverFitsIsRefusedAndTheFirstServesOn() throws IOException {
    JsonNode told =
        run(
                "swap",
                SMOL,
                GEMMA,
                "--agents",
                "1",
                "--max-tokens",
                "3",
                "--budget",
                "600MiB",
                "--json")
            .json("swaps", "answers", "live_handles");
    JsonNode swap = told.get("swaps").get(0);
    assertEquals("refused", swap.get("outcome").asText());
    assertEquals(SMOL, swap.get("serving").asText());
    assertTrue(swap.get("active_bytes_after_unload").isNull());
    run("swap", GEMMA, SMOL, "--budget", "600MiB", "--json").assertFailed(1, "600.0 MiB");
  }
}
