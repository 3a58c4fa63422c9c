package dev.semantic.examples.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.semantic.examples.testing.Run;
import dev.semantic.examples.testing.TinyHub;
import dev.semantic.mlx.models.UserCache;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is done with models' files, each command in a process with caches of its own. */
class ModelsCommandTest {
  private static final String[] MODEL = {
    "name", "path", "size_bytes", "license", "state", "architecture", "fits", "complete"
  };

  private static final String[] FITS = {
    "name",
    "fetch_bytes",
    "compute",
    "weight_bytes",
    "cache_bytes",
    "working_bytes",
    "total_bytes",
    "budget_bytes",
    "fits"
  };

  @TempDir private Path home = Path.of("");
  private TinyHub hub;

  @BeforeEach
  void open() throws IOException {
    hub = new TinyHub();
  }

  @AfterEach
  void close() {
    hub.close();
  }

  private Run run(Map<String, String> more, String... words) throws Exception {
    List<String> line =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName()));
    line.addAll(List.of(words));
    Path out = Files.createTempFile(home, "out", ".txt");
    Path err = Files.createTempFile(home, "err", ".txt");
    ProcessBuilder builder =
        new ProcessBuilder(line).redirectOutput(out.toFile()).redirectError(err.toFile());
    builder.environment().keySet().removeIf(name -> name.startsWith("HF_"));
    builder
        .environment()
        .keySet()
        .removeIf(name -> name.toLowerCase(Locale.ROOT).endsWith("_proxy"));
    builder.environment().put("SEMANTIC_HOME", home.resolve("own").toString());
    builder.environment().put("HF_HOME", home.resolve("hf").toString());
    builder.environment().put("HF_ENDPOINT", hub.endpoint());
    builder.environment().putAll(more);
    int code = builder.start().waitFor();
    return new Run(code, read(out), read(err));
  }

  private static String read(Path file) throws IOException {
    return Files.readString(file, StandardCharsets.UTF_8);
  }

  private Run run(String... words) throws Exception {
    return run(Map.of(), words);
  }

  @Test
  void aRepositoryIsFetchedListedVerifiedAndRemoved() throws Exception {
    JsonNode fetched = json(run("models", "fetch", "org/tiny", "--json"), MODEL);
    assertEquals("org/tiny", fetched.get("name").asText());
    assertEquals("llama", fetched.get("architecture").asText());
    assertEquals("mit", fetched.get("license").asText());
    assertTrue(fetched.get("complete").asBoolean());
    Path snapshot = Path.of(fetched.get("path").asText());
    assertTrue(snapshot.startsWith(home.resolve("hf/hub")), snapshot::toString);

    JsonNode models = json(run("models", "--json"), "models").get("models");
    assertEquals(3, models.size());
    assertEquals(fetched, models.get(2));
    Run offline = run(Map.of("HF_HUB_OFFLINE", "1"), "fetch", "org/tiny");
    assertEquals(snapshot + "\n", offline.out());

    JsonNode intact =
        json(run("models", "verify", "org/tiny", "--json"), "name", "intact", "files");
    assertTrue(intact.get("intact").asBoolean());
    assertEquals(4, intact.get("files").size());
    Files.writeString(snapshot.resolve("model.safetensors"), "weightS");
    Run damaged = run("models", "verify", "org/tiny");
    assertEquals(1, damaged.code());
    assertTrue(damaged.out().contains("damaged  " + snapshot), damaged.out());
    assertTrue(damaged.out().contains("models remove org/tiny --yes"), damaged.out());

    run("models", "remove", "org/tiny").assertFailed(2, "--yes");
    assertTrue(Files.exists(snapshot));
    JsonNode removed =
        json(
            run("models", "remove", "org/tiny", "--yes", "--json"),
            "name",
            "removed",
            "freed_bytes");
    assertTrue(removed.get("freed_bytes").asLong() > 40);
    assertFalse(Files.exists(snapshot));
  }

  /** Progress is said to standard error where nobody watches; the answer is what it always is. */
  private static JsonNode json(Run run, String... fields) throws IOException {
    String err = run.err().replaceFirst("Fetching \\S+ \\.\\.\\.\\R", "");
    return new Run(run.code(), run.out(), err).json(fields);
  }

  @Test
  void whetherAModelFitsIsKnownBeforeItIsFetched() throws Exception {
    Path natives = UserCache.ofUser().root().resolve("natives"); // what is computed in is MLX's say
    assumeTrue(Files.isDirectory(natives), "MLX was never unpacked here");
    copy(natives, home.resolve("own/natives"));
    hub.offerWhole();
    JsonNode fits = json(run("models", "fits", "org/tiny", "--json"), FITS);
    assertTrue(fits.get("fits").asBoolean());
    assertEquals("float32", fits.get("compute").asText());
    assertEquals(4 * (8 * 64 + 3 * 8), fits.get("weight_bytes").asInt());
    assertTrue(fits.get("fetch_bytes").asLong() > fits.get("weight_bytes").asLong());
    Run tight = run("models", "fits", "org/tiny", "--budget", "4KiB");
    assertTrue(tight.out().startsWith("org/tiny is too large"), tight.out());

    run("models", "fetch", "org/tiny", "--budget", "4KiB")
        .assertFailed(1, "org/tiny", "4.0 KiB", "not fetched", "--force");
    run("info", "org/tiny", "--budget", "4KiB").assertFailed(1, "not fetched", "--budget");
    assertFalse(Files.exists(home.resolve("hf")), "something of it was fetched");

    json(run("models", "fetch", "org/tiny", "--budget", "4KiB", "--force", "--json"), MODEL);
    JsonNode here = json(run("models", "fits", "org/tiny", "--json"), FITS);
    assertEquals(0, here.get("fetch_bytes").asInt());
    assertEquals(fits.get("total_bytes"), here.get("total_bytes"));
    run("models", "fits", "org/none").assertFailed(1, "org/none", "404");
    run("models", "fits", "nothing").assertFailed(1, "nothing");
  }

  /** A link is refused: code is not loaded by one. */
  private static void copy(Path from, Path to) throws IOException {
    Files.createDirectories(to.resolveSibling(""));
    try (Stream<Path> tree = Files.walk(from)) {
      for (Path each : tree.toList()) {
        Files.copy(each, to.resolve(from.relativize(each).toString()));
      }
    }
  }

  @Test
  void ofWhatIsKnownNothingNeedsToBeFetchedToBeJudged() throws Exception {
    for (JsonNode model : json(run("models", "--json"), "models").get("models")) {
      assertEquals("absent", model.get("state").asText());
      assertTrue(model.get("fits").asBoolean(), model::toString);
      assertTrue(model.get("architecture").isTextual(), model::toString);
    }
  }

  @Test
  void whatIsNotAModelIsNotSaidToBeWhole() throws Exception {
    Path shelf = Files.createDirectories(home.resolve("shelf"));
    Files.createFile(shelf.resolve("empty.gguf"));
    Run added = run("models", "add", shelf.toString());
    assertTrue(added.out().startsWith("empty "), added.out());
    assertTrue(added.out().contains("partial"), added.out());
    assertTrue(added.out().contains("without a GGUF file's beginning"), added.out());
  }

  /** Without a place to keep what was made of its vocabulary it is made again each time. */
  @Test
  void aTokenizerNeedNotBeKept() throws Exception {
    Path natives = UserCache.ofUser().root().resolve("natives");
    Path model = UserCache.ofUser().models().resolve("SmolLM2-135M-Instruct.Q4_1.gguf");
    assumeTrue(Files.isDirectory(natives) && Files.exists(model), "nothing was fetched here");
    copy(natives, home.resolve("own/natives"));
    Files.createFile(home.resolve("own/tokenizers")); // as good as a disk that is full
    Run run = run("tokenize", model.toString(), "Hello");
    assertEquals(0, run.code(), run.err());
    assertTrue(run.err().contains("is not kept"), run.err());
    assertFalse(run.err().contains("\tat "), run.err());
  }

  @Test
  void whatIsRefusedSaysWhy() throws Exception {
    run("models", "fetch", "org/other").assertFailed(1, "org/other", "no repository", "404");
    run("info", "org/other").assertFailed(1, "org/other", "no repository", "404");
    run(Map.of("HF_HUB_OFFLINE", "1"), "models", "fetch", "org/tiny")
        .assertFailed(1, "HF_HUB_OFFLINE");
    run(Map.of("HF_ENDPOINT", "nowhere"), "models").assertFailed(1, "HF_ENDPOINT", "nowhere");
  }

  @Test
  void aDirectoryIsAddedAndTakenOutAgain() throws Exception {
    Path model = Files.createDirectories(home.resolve("shelf/mine"));
    Files.writeString(model.resolve("config.json"), "{\"model_type\":\"qwen2\"}");
    JsonNode added =
        json(
            run("models", "add", home.resolve("shelf").toString(), "--json"),
            "directory",
            "models");
    assertEquals("mine", added.get("models").get(0).get("name").asText());
    assertEquals("partial", added.get("models").get(0).get("state").asText());
    assertTrue(run("models").out().contains("without tokenizer.json, model.safetensors"));
    run("models", "remove", "mine", "--yes").assertFailed(1, "was added", model.toString());
    assertEquals(0, run("models", "remove", home.resolve("shelf").toString()).code());
    assertFalse(run("models").out().contains("mine"));
    assertTrue(Files.exists(model.resolve("config.json")));
  }
}
