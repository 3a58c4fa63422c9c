package dev.semantic.mlx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.semantic.generate.ChatMessage;
import dev.semantic.generate.GenerationRequest;
import dev.semantic.generate.Prompt;
import dev.semantic.generate.RequestException;
import dev.semantic.memory.ByteSize;
import dev.semantic.memory.MemoryBudget;
import dev.semantic.mlx.isolated.IsolatedRuntime;
import dev.semantic.mlx.testing.RequiresNatives;
import dev.semantic.mlx.testing.TinyModels;
import dev.semantic.model.ModelException;
import dev.semantic.model.ModelException.Kind;
import dev.semantic.model.ModelId;
import dev.semantic.registry.ModelRegistry;
import dev.semantic.spi.LoadProgress;
import dev.semantic.spi.ModelRuntime;
import dev.semantic.spi.PreparedModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a program learns of a model that can't be used is the same in either process. */
@RequiresNatives
class ErrorKindsTest {
  /** Where the model is. */
  enum Where {
    IN_PROCESS,
    ISOLATED;

    ModelRuntime open() {
      return this == IN_PROCESS ? MlxModelRuntime.open() : IsolatedRuntime.open();
    }
  }

  @TempDir Path directory;

  private static Kind refused(Where where, Path model) {
    try (ModelRuntime runtime = where.open()) {
      return assertThrows(
              ModelException.class,
              () -> runtime.prepare(new ModelId(model.toString())).close(),
              "prepared after all")
          .kind();
    }
  }

  private Path copy() throws IOException {
    Path source = TinyModels.of("tiny-llama-f32");
    Path target = Files.createDirectory(directory.resolve("model"));
    try (Stream<Path> files = Files.list(source)) {
      for (Path file : files.toList()) {
        Files.copy(file, target.resolve(file.getFileName()));
      }
    }
    return target;
  }

  @ParameterizedTest
  @EnumSource
  void notThere(Where where) {
    assertEquals(Kind.NOT_FOUND, refused(where, directory.resolve("nothing.gguf")));
  }

  @ParameterizedTest
  @EnumSource
  void cutShort(Where where) throws IOException {
    Path weights = copy().resolve("model.safetensors");
    byte[] whole = Files.readAllBytes(weights);
    Files.write(weights, Arrays.copyOf(whole, whole.length - 100));
    assertEquals(Kind.DAMAGED, refused(where, weights.resolveSibling("")));
  }

  @ParameterizedTest
  @EnumSource
  void anArchitectureThatNobodyKnows(Where where) throws IOException {
    Path config = copy().resolve("config.json");
    Files.writeString(config, Files.readString(config).replace("\"llama\"", "\"alpaca\""));
    assertEquals(Kind.UNSUPPORTED, refused(where, config.resolveSibling("")));
  }

  @ParameterizedTest
  @EnumSource
  void exchangedBetweenTheCheckAndTheLoad(Where where) throws IOException {
    Path weights = copy().resolve("model.safetensors");
    ModelId model = new ModelId(weights.resolveSibling("").toString());
    try (ModelRuntime runtime = where.open();
        PreparedModel prepared = runtime.prepare(model)) {
      byte[] bytes = Files.readAllBytes(weights);
      bytes[bytes.length - 2] ^= 1;
      Files.delete(weights);
      Files.write(weights, bytes);
      var changed = assertThrows(ModelException.class, () -> prepared.load(LoadProgress.NONE));
      assertEquals(Kind.CHANGED, changed.kind(), changed.getMessage());
    }
  }

  @ParameterizedTest
  @EnumSource
  void moreThanTheBudget(Where where) throws IOException {
    try (ModelRuntime runtime = where.open();
        ModelRegistry registry =
            ModelRegistry.builder(runtime)
                .cacheBytes(new ByteSize(1 << 16))
                .budget(new MemoryBudget(new ByteSize(1 << 17)))
                .build()) {
      ModelId model = new ModelId(copy().toString());
      assertEquals(
          Kind.DOES_NOT_FIT,
          assertThrows(ModelException.class, () -> registry.validate(model)).kind());
      assertEquals(
          Kind.DOES_NOT_FIT, assertThrows(ModelException.class, () -> registry.load(model)).kind());
    }
  }

  @ParameterizedTest
  @EnumSource
  void messagesForABaseModelAreTheRequestsFault(Where where) throws IOException {
    try (ModelRuntime runtime = where.open();
        ModelRegistry registry = ModelRegistry.builder(runtime).build()) {
      registry.load(new ModelId(copy().toString()));
      var request = GenerationRequest.of(new Prompt.Chat(List.of(ChatMessage.user("hello"))));
      var refused =
          assertThrows(RequestException.class, () -> registry.generate(request.build()).await());
      assertEquals(RequestException.Kind.INVALID, refused.kind(), refused.getMessage());
    }
  }
}
