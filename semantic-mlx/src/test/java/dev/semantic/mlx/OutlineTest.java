package dev.semantic.mlx;

import static dev.semantic.mlx.testing.Refusal.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.memory.ByteSize;
import dev.semantic.memory.MemoryBudget;
import dev.semantic.mlx.models.HubSettings;
import dev.semantic.mlx.models.ModelCatalog;
import dev.semantic.mlx.models.ModelFetcher;
import dev.semantic.mlx.models.RemoteModelHeaders;
import dev.semantic.mlx.models.UserCache;
import dev.semantic.mlx.models.hub.FakeHub;
import dev.semantic.mlx.testing.RandomGguf;
import dev.semantic.mlx.testing.RequiresNatives;
import dev.semantic.mlx.testing.TinyModels;
import dev.semantic.model.ModelException;
import dev.semantic.model.ModelId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a hub's model takes is known from its headers, before a weight has come. */
class OutlineTest {
  private static final ModelId MODEL = new ModelId("org/model");

  @TempDir Path home;
  private FakeHub hub;
  private ModelCatalog catalog;

  @BeforeEach
  void open() throws IOException {
    hub = new FakeHub();
    catalog = over(false);
  }

  private ModelCatalog over(boolean offline) {
    HubSettings settings =
        new HubSettings(hub.endpoint(), home.resolve("hub"), Optional.empty(), offline);
    return new ModelCatalog(new UserCache(home.resolve("own"))).withHub(settings);
  }

  @AfterEach
  void close() {
    hub.close();
  }

  private Path offer(String name) throws IOException {
    Path model = TinyModels.of(name);
    hub.file("tokenizer.json", "{}");
    try (Stream<Path> files = Files.list(model)) {
      for (Path file : files.toList()) {
        String called = file.getFileName().toString();
        if (called.endsWith(".safetensors")) {
          hub.large(called, Files.readAllBytes(file));
        } else if (called.startsWith("config") || called.endsWith("index.json")) {
          hub.file(called, Files.readString(file));
        }
      }
    }
    return model;
  }

  @RequiresNatives
  @ParameterizedTest(name = "{0} in {1}, ranges: {2}")
  @CsvSource({
    "tiny-llama3-rope-f32, 64GiB, true", // in three files
    "tiny-llama-tied-q4, 64GiB, true",
    "tiny-llama-tied-q4, 1MiB, true",
    "tiny-qwen3-bf16, 64GiB, false",
  })
  void whatItTakesIsWhatTheWholeModelTakes(String name, String budget, boolean ranges)
      throws Exception {
    Path whole = offer(name);
    hub.knowsRanges = ranges;
    Path was;
    MemoryBudget memory = new MemoryBudget(ByteSize.parse(budget));
    try (RemoteModelHeaders outline = new ModelFetcher(catalog).headers(MODEL).orElseThrow();
        MlxModelRuntime runtime = MlxModelRuntime.open(catalog, memory)) {
      was = outline.path();
      assertEquals(runtime.footprint(whole), runtime.footprint(was));
      assertEquals(runtime.compute(whole), runtime.compute(was));
      assertEquals(
          runtime.forecast(new ModelId(whole.toString()), 1000, 3),
          runtime.forecast(new ModelId(was.toString()), 1000, 3));
      assertTrue(outline.fetchBytes() > Files.size(weights(whole)), "all files are counted");
    }
    assertFalse(Files.exists(was));
    assertEquals(List.of(), leftBehind());
    assertFalse(Files.exists(home.resolve("hub")), "nothing of it is kept");
    if (ranges) {
      long asked =
          hub.asked.stream()
              .filter(FakeHub.Asked::storage)
              .mapToLong(a -> length(a.header("Range")))
              .sum();
      assertTrue(asked < 20_000, () -> asked + " bytes of weight files are no headers");
    }
  }

  /** Metadata and tensors' names stand at a GGUF file's front; the rest is as long as it is. */
  @RequiresNatives
  @ParameterizedTest(name = "ranges: {0}")
  @ValueSource(booleans = {true, false})
  void aGgufFilesFrontSaysAsMuch(boolean ranges) throws Exception {
    Path whole = RandomGguf.gemma3(6, 512).write(home, "whole", 3);
    byte[] content = Files.readAllBytes(whole);
    long far = (24L << 20) + 12_345; // behind the front that is asked for
    hub.large("model-Q8_0.gguf", Arrays.copyOf(content, Math.toIntExact(far)));
    hub.large("mmproj-model.gguf", new byte[100]);
    hub.knowsRanges = ranges;
    try (RemoteModelHeaders outline = new ModelFetcher(catalog).headers(MODEL).orElseThrow();
        MlxModelRuntime runtime = MlxModelRuntime.open(catalog)) {
      assertEquals(far, outline.fetchBytes());
      assertEquals(runtime.footprint(whole), runtime.footprint(outline.path()));
      assertEquals(runtime.compute(whole), runtime.compute(outline.path()));
    }
    assertEquals(List.of(), leftBehind());
  }

  private static Path weights(Path model) throws IOException {
    try (Stream<Path> files = Files.list(model)) {
      return files.filter(f -> f.toString().endsWith(".safetensors")).findFirst().orElseThrow();
    }
  }

  private static long length(String range) {
    String[] ends = range.replace("bytes=", "").split("-", -1);
    return Long.parseLong(ends[1]) - Long.parseLong(ends[0]) + 1;
  }

  @Test
  void whatHasNoHeaderIsSaidToBeDamaged() throws IOException {
    offer("tiny-llama-f32");
    byte[] weights = new byte[100];
    weights[7] = 1; // a header of 2^56 bytes
    hub.large("model.safetensors", weights);
    assertRefused(
        ModelException.class,
        () -> new ModelFetcher(catalog).headers(MODEL),
        "model.safetensors",
        "damaged");
    assertEquals(List.of(), leftBehind());
  }

  @Test
  void whatIsNotThereIsRefusedAsAFetchIs() throws IOException {
    assertRefused(
        ModelException.class,
        () -> new ModelFetcher(catalog).headers(new ModelId("org/other")),
        "org/other",
        "404");
    assertEquals(List.of(), leftBehind());
  }

  @Test
  void whatAKilledProcessHasLeftGoesAndWhatALivingOneHasStays() throws Exception {
    Process dead = new ProcessBuilder("true").start();
    dead.waitFor();
    Path left = Files.createDirectories(downloads().resolve("outline-" + dead.pid() + "-1"));
    Files.writeString(left.resolve("config.json"), "{}");
    long self = ProcessHandle.current().pid();
    Path held = Files.createDirectories(downloads().resolve("outline-" + self + "-1"));
    offer("tiny-llama-f32");
    new ModelFetcher(catalog).headers(MODEL).orElseThrow().close();
    assertEquals(List.of(held), leftBehind());
  }

  @Test
  void nobodyIsAskedWhoMayNotBe() throws IOException {
    offer("tiny-llama-f32");
    assertTrue(new ModelFetcher(over(true)).headers(MODEL).isEmpty());
    assertTrue(new ModelFetcher(catalog).headers(new ModelId("gemma-3-270m")).isEmpty());
    assertTrue(new ModelFetcher(catalog).headers(new ModelId("/some/path")).isEmpty());
    assertEquals(List.of(), hub.asked);
  }

  private Path downloads() {
    return home.resolve("own/downloads");
  }

  private List<Path> leftBehind() throws IOException {
    try (Stream<Path> files = Files.list(downloads())) {
      return files.toList();
    }
  }
}
