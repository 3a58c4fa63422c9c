package dev.semantic.mlx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.generate.GenerationResult;
import dev.semantic.memory.ByteSize;
import dev.semantic.memory.MemoryBudget;
import dev.semantic.mlx.models.ModelCatalog;
import dev.semantic.mlx.testing.RandomGguf;
import dev.semantic.mlx.testing.RecastModel;
import dev.semantic.mlx.testing.RecastModel.Form;
import dev.semantic.mlx.testing.RequiresNatives;
import dev.semantic.mlx.testing.TinyModels;
import dev.semantic.model.ModelId;
import dev.semantic.model.ModelTag;
import dev.semantic.store.DiskCacheStore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A model that comes back under its name as another one finds nothing that the first one computed;
 * and when the first one comes back, all of it is there.
 */
@RequiresNatives
class NeverReusedTest {
  private static final int[] PROMPT = RecordedHost.tokens(300, 1);

  @TempDir private Path directory;
  private Path model = Path.of("");

  /** What has changed when the model comes back; its geometry has not. */
  enum Change {
    WEIGHTS {
      @Override
      void to(Path model) throws IOException {
        Path file = model.resolve("model.safetensors");
        byte[] bytes = Files.readAllBytes(file);
        bytes[bytes.length - 1] ^= 1; // the exponent of one weight, by a step
        Files.write(file, bytes);
      }
    },
    QUANTISATION {
      @Override
      void to(Path model) {
        RecastModel.write(model, Form.Q4_F32, model);
      }
    },
    TOKENIZER {
      @Override
      void to(Path model) throws IOException {
        copyTokenizer("sentencepiece-plain", model);
      }
    },
    TEMPLATE {
      @Override
      void to(Path model) throws IOException {
        Files.writeString(
            model.resolve("chat_template.jinja"),
            "{% for m in messages %}{{ m.content }}{% endfor %}");
      }
    };

    abstract void to(Path model) throws IOException;
  }

  private static void copyTokenizer(String name, Path model) throws IOException {
    for (String file : List.of("tokenizer.json", "tokenizer_config.json")) {
      try {
        Path from =
            Path.of(
                Objects.requireNonNull(
                        NeverReusedTest.class.getResource("/tokenizers/" + name + "/" + file))
                    .toURI());
        Files.write(model.resolve(file), Files.readAllBytes(from));
      } catch (URISyntaxException e) {
        throw new IOException(e);
      }
    }
  }

  @BeforeEach
  void aModelWithATokenizer() throws IOException {
    model =
        RecastModel.write(TinyModels.of("tiny-llama-f32"), Form.F32, directory.resolve("model"));
    copyTokenizer("byte-level", model);
  }

  private static MlxModelRuntime runtime(ByteSize memory) {
    return MlxModelRuntime.open(ModelCatalog.ofUser(), new MemoryBudget(memory));
  }

  @ParameterizedTest
  @EnumSource
  void ofAModelThatHasChanged(Change change) throws Exception {
    ModelId id = new ModelId(model.toString());
    ModelId other = new ModelId(RandomGguf.llama(1).write(directory, "other", 5).toString());
    Path original = copy(model, directory.resolve("original"));
    try (DiskCacheStore caches = DiskCacheStore.open(directory.resolve("caches"));
        MlxModelRuntime runtime = runtime(ByteSize.ofGiB(64));
        RecordedHost host = new RecordedHost(runtime, caches)) {
      host.registry.load(id);
      int[] talk = host.said("ada", PROMPT, 2);
      ModelTag before = tag(host);
      assertEquals(1, host.registry.swapWithRollback(other).agentsParked());
      change.to(model);
      assertEquals(0, host.registry.swapWithRollback(id).agentsRestored());
      ModelTag changed = tag(host);
      assertEquals(before.model(), changed.model());
      assertNotEquals(before.fingerprint(), changed.fingerprint());
      host.recorder.take();
      assertEquals(0, host.turn("ada", talk, 1).cachedTokens(), "another model's memory");
      assertEquals(0, host.turn("bob", RecordedHost.tokens(9, 8), 1).cachedTokens());
      assertAsFresh(host.recorder.take().getFirst(), talk);

      host.registry.swapWithRollback(other);
      copy(original, model);
      assertEquals(1, host.registry.swapWithRollback(id).agentsRestored());
      assertEquals(before, tag(host));
      GenerationResult again = host.turn("ada", talk, 1);
      assertEquals(talk.length - 1, again.cachedTokens(), "it was there");
    }
  }

  /** The same file, computed with in another form. */
  @Test
  void ofAModelThatIsComputedOtherwise() throws Exception {
    RecastModel.write(model, Form.Q4_F32, model);
    ModelId id = new ModelId(model.toString());
    try (DiskCacheStore caches = DiskCacheStore.open(directory.resolve("caches"))) {
      for (ByteSize memory : List.of(ByteSize.ofGiB(64), new ByteSize(1))) {
        try (MlxModelRuntime runtime = runtime(memory);
            RecordedHost host = new RecordedHost(runtime, caches)) {
          host.registry.load(id);
          assertEquals(0, host.turn("ada", PROMPT, 2).cachedTokens(), memory.toString());
        }
      }
    }
  }

  private static ModelTag tag(RecordedHost host) {
    return host.registry.current().orElseThrow().tag();
  }

  /** What a process would say that has never seen the first model. */
  private void assertAsFresh(float[] logits, int[] talk) throws IOException {
    try (DiskCacheStore caches = DiskCacheStore.open(directory.resolve("other caches"));
        MlxModelRuntime runtime = runtime(ByteSize.ofGiB(64));
        RecordedHost host = new RecordedHost(runtime, caches)) {
      host.registry.load(new ModelId(model.toString()));
      host.turn("ada", talk, 1);
      assertArrayEquals(host.recorder.take().getFirst(), logits, 0f);
    }
  }

  /** In the place of what is there. */
  private static Path copy(Path from, Path to) throws IOException {
    Files.createDirectories(to);
    try (Stream<Path> there = Files.list(to)) {
      there.forEach(NeverReusedTest::delete);
    }
    try (Stream<Path> files = Files.list(from)) {
      for (Path file : files.toList()) {
        Files.copy(file, to.resolve(file.getFileName().toString()));
      }
    }
    assertTrue(Files.exists(to.resolve("config.json")));
    return to;
  }

  private static void delete(Path file) {
    try {
      Files.delete(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
