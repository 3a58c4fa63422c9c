package dev.semantic.examples;

import static dev.semantic.examples.testing.Project.GEMMA;
import static dev.semantic.examples.testing.Project.SMOL;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.semantic.examples.testing.Project;
import dev.semantic.examples.testing.RequiresModels;
import dev.semantic.examples.testing.Run;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code soak}, killed at any moment and started again where it was. */
@RequiresModels
class KilledSoakIT {
  private static final int KILLS = 3;

  @TempDir private Path directory = Path.of("");

  private Program soak(int swaps, String... more) throws IOException {
    List<String> words =
        new ArrayList<>(
            List.of("soak", SMOL, GEMMA, "--agents", "2", "--max-tokens", "8", "--json"));
    words.addAll(List.of("--swaps", Integer.toString(swaps), "--cache-dir", "caches"));
    words.addAll(List.of(more));
    return Program.start(directory, Map.of(), words);
  }

  @Test
  void whatIsFoundIsSaidAndContinuedTokenByToken() throws Exception {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    for (int i = 0; i < KILLS; i++) {
      boolean interrupted = journal().isPresent();
      Program soak = soak(1000, i == 1 ? new String[] {"--isolated"} : new String[0]);
      // Two swaps have parked everybody for both models; one is enough elsewhere.
      soak.awaitSaying(i == 0 ? "2/1000 " : "1/1000 ");
      Thread.sleep(random.nextInt(2500)); // anywhere in a swap
      List<ProcessHandle> children = soak.process().toHandle().descendants().toList();
      soak.kill();
      String said = Files.readString(soak.err());
      assertEquals(interrupted, said.contains("ended in the middle of"), "seed " + seed + said);
      assertNoneOutlives(children);
    }
    var journal = journal();
    long parked = files("caches", ".kv");
    Run last = soak(1).end();
    assertEquals(0, last.code(), last::toString);
    JsonNode told = new ObjectMapper().readTree(last.out());
    JsonNode found = told.get("found");
    assertEquals(journal.isPresent(), found.get("interrupted").isObject(), "seed " + seed);
    if (journal.isPresent()) {
      String phase = found.get("interrupted").get("phase").asText();
      assertTrue(journal.get().toLowerCase(java.util.Locale.ROOT).contains(phase), found::toString);
      assertTrue(List.of(SMOL, GEMMA).contains(found.get("interrupted").get("from").asText()));
    }
    assertEquals(
        parked, found.get("parked").get(SMOL).asInt() + found.get("parked").get(GEMMA).asInt());
    assertEquals(4, parked, "seed " + seed);
    assertEquals(0, told.get("wrong_model_answers").asInt());
    assertEquals(0, told.get("lost_requests").asInt());
    JsonNode first = told.get("answers").get(0);
    assertTrue(first.get("cached_tokens").asInt() > 0, "seed " + seed + first);
    assertTokenExact(SMOL, "seed " + seed);
    assertTokenExact(GEMMA, "seed " + seed);
  }

  /** The swap's record, if its first line was written whole. */
  private java.util.Optional<String> journal() throws IOException {
    Path file = directory.resolve("caches/swap.journal");
    String text = Files.exists(file) ? Files.readString(file) : "";
    return java.util.Optional.of(text).filter(lines -> lines.contains("\n"));
  }

  private long files(String where, String ending) throws IOException {
    try (Stream<Path> all = Files.walk(directory.resolve(where))) {
      return all.filter(file -> file.toString().endsWith(ending)).count();
    }
  }

  private static void assertNoneOutlives(List<ProcessHandle> children) throws Exception {
    for (ProcessHandle child : children) {
      child.onExit().get(30, java.util.concurrent.TimeUnit.SECONDS);
    }
  }

  /** All that was said, by however many processes, is what one says in one breath. */
  private void assertTokenExact(String model, String seed) throws Exception {
    int[] said = transcript(model);
    int from = Math.min(40, said.length - 8);
    int to = Math.min(said.length, from + 32);
    List<String> words =
        List.of(
            "generate",
            model,
            "--tokens",
            list(Arrays.copyOf(said, from)),
            "--max-tokens",
            Integer.toString(to - from),
            "--ignore-eos",
            "--json");
    Run run = Program.start(directory, Map.of(), words).end();
    assertEquals(0, run.code(), run::toString);
    int[] once = Project.ints(new ObjectMapper().readTree(run.out()).get("tokens"));
    assertEquals(list(Arrays.copyOfRange(said, from, to)), list(once), seed);
  }

  private int[] transcript(String model) throws IOException {
    String part = model.equals(SMOL) ? "SmolLM2" : "gemma";
    try (Stream<Path> all = Files.list(directory.resolve("caches/transcripts"))) {
      Path file =
          all.filter(path -> path.getFileName().toString().startsWith("agent-1-" + part))
              .findFirst()
              .orElseThrow();
      return new ObjectMapper().readValue(file.toFile(), int[].class);
    }
  }

  private static String list(int[] tokens) {
    return IntStream.of(tokens).mapToObj(Integer::toString).collect(Collectors.joining(","));
  }
}
