package dev.semantic.mlx;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.semantic.generate.GenerationRequest;
import dev.semantic.generate.GenerationResult;
import dev.semantic.generate.Prompt;
import dev.semantic.memory.ByteSize;
import dev.semantic.memory.MemoryBudget;
import dev.semantic.mlx.models.HubSettings;
import dev.semantic.mlx.models.ModelCatalog;
import dev.semantic.mlx.models.UserCache;
import dev.semantic.mlx.models.hub.FakeHub;
import dev.semantic.mlx.testing.Reference;
import dev.semantic.mlx.testing.RequiresNatives;
import dev.semantic.mlx.testing.TinyModels;
import dev.semantic.model.ModelException;
import dev.semantic.model.ModelId;
import dev.semantic.model.ModelSpec;
import dev.semantic.registry.ModelPrefetch;
import dev.semantic.registry.ModelRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** From a repository's name to its tokens, while another model serves. */
@RequiresNatives
class FetchedModelTest {
  private static final ModelId MODEL = new ModelId(FakeHub.ID);
  private static final Duration PATIENCE = Duration.ofMinutes(1);

  @TempDir Path home;
  private FakeHub hub;
  private ModelCatalog catalog;

  @BeforeEach
  void open() throws IOException {
    hub = new FakeHub();
    Path model = TinyModels.of("tiny-llama-f32");
    hub.file("config.json", Files.readString(model.resolve("config.json")));
    hub.large("model.safetensors", Files.readAllBytes(model.resolve("model.safetensors")));
    for (String name : List.of("tokenizer.json", "tokenizer_config.json")) {
      hub.file(name, Files.readString(tokenizer(name)));
    }
    HubSettings settings =
        new HubSettings(hub.endpoint(), home.resolve("hub"), Optional.empty(), false);
    catalog = new ModelCatalog(new UserCache(home.resolve("own"))).withHub(settings);
  }

  @AfterEach
  void close() {
    hub.close();
  }

  private static Path tokenizer(String file) {
    String name = "/tokenizers/byte-level/" + file;
    return Path.of(Objects.requireNonNull(FetchedModelTest.class.getResource(name)).getPath());
  }

  /** One that is here: another model's weights, with the same tokenizer. */
  private ModelId first() throws IOException {
    Path directory = Files.createDirectories(home.resolve("first"));
    Path model = TinyModels.of("tiny-qwen2-q8");
    for (String name : List.of("config.json", "model.safetensors")) {
      Files.copy(model.resolve(name), directory.resolve(name));
    }
    for (String name : List.of("tokenizer.json", "tokenizer_config.json")) {
      Files.copy(tokenizer(name), directory.resolve(name));
    }
    return new ModelId(directory.toString());
  }

  private static GenerationResult ask(ModelRegistry registry, int[] prompt, int atMost) {
    return registry
        .generate(
            GenerationRequest.of(new Prompt.Tokens(prompt))
                .maxTokens(atMost)
                .ignoreEos(true)
                .build())
        .await(PATIENCE);
  }

  @Test
  void aRepositoryIsFetchedWhileAnotherModelServesAndThenSwappedIn() throws Exception {
    CountDownLatch asked = new CountDownLatch(1);
    JsonNode expected = TinyModels.expected(TinyModels.of("tiny-llama-f32"));
    int[] prompt = Reference.ints(expected.get("prompt"));
    int[] greedy = Reference.ints(expected.get("greedy"));
    var held =
        hub.trouble(
            FakeHub.Asked::storage,
            1,
            exchange -> {
              try {
                asked.await();
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
              exchange.sendResponseHeaders(503, -1);
            });
    try (MlxModelRuntime runtime = MlxModelRuntime.open(catalog);
        ModelRegistry registry =
            ModelRegistry.builder(runtime)
                .budget(new MemoryBudget(ByteSize.ofMiB(512)))
                .cacheBytes(ByteSize.ofMiB(8))
                .build()) {
      ModelId first = first();
      registry.load(first);
      assertTrue(
          String.valueOf(
                  assertThrows(ModelException.class, () -> registry.validate(MODEL)).getMessage())
              .contains("models fetch org/model"));
      ModelPrefetch preparation = registry.prepare(MODEL);
      await().until(() -> held.fired() > 0);
      assertFalse(preparation.isDone());
      assertEquals(3, ask(registry, prompt, 3).tokens().size(), "the old one serves");
      assertEquals(first, registry.current().orElseThrow().id());
      asked.countDown();
      ModelSpec spec = preparation.await();
      assertEquals("org--model", spec.tag().model());
      registry.swapWithRollback(MODEL);
      assertEquals(
          Arrays.stream(greedy).boxed().toList(), ask(registry, prompt, greedy.length).tokens());
    }
  }
}
