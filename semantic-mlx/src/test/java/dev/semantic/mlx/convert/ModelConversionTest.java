package dev.semantic.mlx.convert;

import static dev.semantic.mlx.testing.Refusal.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.semantic.memory.ByteSize;
import dev.semantic.mlx.architecture.ModelConfig;
import dev.semantic.mlx.checkpoint.Checkpoint;
import dev.semantic.mlx.checkpoint.Checkpoints;
import dev.semantic.mlx.checkpoint.TensorInfo;
import dev.semantic.mlx.convert.ModelConversion.Dtype;
import dev.semantic.mlx.testing.RandomGguf;
import dev.semantic.mlx.testing.TinyModels;
import dev.semantic.model.ModelException;
import dev.semantic.spi.LoadProgress;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.CancellationException;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a conversion writes, what it refuses, and that it leaves nothing half-done. */
class ModelConversionTest {
  private static final Path FLOATS = TinyModels.of("tiny-llama-f32");

  @TempDir private Path home = Path.of("");

  private Path target() {
    return home.resolve("converted");
  }

  private List<String> left() throws IOException {
    try (Stream<Path> entries = Files.list(home)) {
      return entries.map(path -> path.getFileName().toString()).sorted().toList();
    }
  }

  private static List<String> names(Path directory) throws IOException {
    try (Stream<Path> entries = Files.list(directory)) {
      return entries.map(path -> path.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void aGgufFileBecomesEverythingThatALoaderReads() throws IOException {
    Path source = RandomGguf.llama(2).write(home, "model", 3);
    ConvertedModel converted = ModelConversion.of(source).build().write(target());
    assertEquals(
        List.of(
            "config.json",
            "generation_config.json",
            "model.safetensors",
            "tokenizer.json",
            "tokenizer_config.json"),
        names(converted.path()));
    JsonNode config = TinyModels.json(target().resolve("config.json"));
    assertEquals("LlamaForCausalLM", config.get("architectures").get(0).textValue());
    assertFalse(config.has("quantization"));
    assertFalse(config.has("rope_scaling"));
    assertTrue(converted.exact());
    assertEquals(32, converted.bitsPerWeight());
    assertEquals("llama", converted.architecture());
  }

  @Test
  void manyShardsHaveAnIndexThatNamesEveryPart() throws IOException {
    ConvertedModel converted =
        ModelConversion.of(FLOATS)
            .quantize(4, 64)
            .shardSize(new ByteSize(8_000))
            .build()
            .write(target());
    JsonNode index = TinyModels.json(target().resolve("model.safetensors.index.json"));
    TreeSet<String> files = new TreeSet<>();
    index.get("weight_map").forEach(file -> files.add(file.textValue()));
    assertEquals(List.copyOf(files), converted.weightFiles());
    int count = files.size();
    assertTrue(count > 2, files::toString);
    assertEquals("model-00001-of-%05d.safetensors".formatted(count), files.first());
    assertTrue(index.get("weight_map").has("model.layers.1.mlp.down_proj.scales"));
  }

  @ParameterizedTest
  @CsvSource({"2, 32", "3, 32", "4, 64", "5, 64", "6, 32", "8, 64"})
  void aQuantisedWeightIsLessThanAStepFromWhatItWas(int bits, int groupSize) {
    ModelConversion.of(FLOATS)
        .quantize(bits, groupSize)
        .shardSize(new ByteSize(30_000))
        .build()
        .write(target());
    try (Checkpoint before = Checkpoints.open(FLOATS);
        Checkpoint after = Checkpoints.open(target())) {
      for (String name : before.tensors().keySet()) {
        float[] expected = expanded(before, name);
        float[] actual = expanded(after, name);
        boolean matrix = before.info(name).shape().length == 2;
        for (int i = 0; i < expected.length; i++) {
          int group = i / groupSize * groupSize;
          float step = matrix ? range(expected, group, groupSize) / ((1 << bits) - 1) : 0;
          assertEquals(expected[i], actual[i], step, name + " " + i);
        }
      }
    }
  }

  private static float[] expanded(Checkpoint checkpoint, String name) {
    TensorInfo tensor = checkpoint.info(name);
    float[] numbers = new float[(int) tensor.elements()];
    checkpoint.expand(name, 0, tensor.rows(), numbers);
    return numbers;
  }

  private static float range(float[] numbers, int from, int count) {
    float least = numbers[from];
    float most = numbers[from];
    for (int i = from; i < from + count; i++) {
      least = Math.min(least, numbers[i]);
      most = Math.max(most, numbers[i]);
    }
    return most - least;
  }

  @Test
  void aMatrixWithoutWholeGroupsStaysAsItIs() {
    ConvertedModel converted =
        ModelConversion.of(TinyModels.of("tiny-qwen2-f16")).quantize(3, 64).build().write(target());
    JsonNode config = TinyModels.json(target().resolve("config.json"));
    JsonNode settings = config.get("quantization");
    assertEquals(settings, config.get("quantization_config"));
    assertEquals(3, settings.size(), settings::toString);
    assertEquals(3, settings.get("bits").intValue());
    assertEquals(64, settings.get("group_size").intValue());
    assertEquals("affine", settings.get("mode").textValue());
    assertEquals(2, converted.matrices().get("float16"));
    try (Checkpoint written = Checkpoints.open(target())) {
      assertEquals("F16", written.info("model.layers.0.mlp.down_proj.weight").type().label());
      assertEquals(0, written.info("model.norm.weight").type().exactBits());
    }
  }

  @Test
  void aMixedModelKeepsItsSettingsLayerByLayer() {
    Path source = TinyModels.of("tiny-llama-bias-mixed");
    ModelConversion.of(source).build().write(target());
    JsonNode settings = TinyModels.json(target().resolve("config.json")).get("quantization");
    assertEquals(5, settings.get("bits").intValue());
    assertEquals(8, settings.get("model.layers.1.mlp.down_proj").get("bits").intValue());
    assertEquals(3 + 4, settings.size());
  }

  @Test
  void numbersAreRoundedToTheFormatThatWasAskedFor() {
    ConvertedModel converted =
        ModelConversion.of(FLOATS).dtype(Dtype.BFLOAT16).build().write(target());
    assertEquals("BF16", converted.quantization());
    assertFalse(converted.exact());
    JsonNode config = TinyModels.json(target().resolve("config.json"));
    assertEquals("bfloat16", config.get("torch_dtype").textValue());
    assertEquals(16, converted.bitsPerWeight());
  }

  @Test
  void whatIsQuantisedIsNotQuantisedAgain() throws IOException {
    ModelConversion again =
        ModelConversion.of(TinyModels.of("tiny-llama-tied-q4")).quantize(2, 64).build();
    assertRefused(
        ModelException.class,
        () -> again.write(target()),
        "tiny-llama-tied-q4",
        "4-bit, group 64",
        "dequantize");
    assertEquals(List.of(), left());
  }

  @Test
  void aGroupThatFitsNoMatrixIsRefused() throws IOException {
    ModelConversion wide =
        ModelConversion.of(TinyModels.of("tiny-qwen2-f16")).quantize(4, 128).build();
    assertRefused(ModelException.class, () -> wide.write(target()), "128", "smaller group");
    assertEquals(List.of(), left());
  }

  @Test
  void aPlaceThatIsTakenIsLeftAlone() throws IOException {
    ModelConversion conversion = ModelConversion.of(FLOATS).build();
    Files.createDirectory(target());
    Path mine = Files.writeString(target().resolve("mine.txt"), "mine");
    assertRefused(
        ModelException.class, () -> conversion.write(target()), target().toString(), "not empty");
    assertRefused(ModelException.class, () -> conversion.write(mine), "is a file");
    assertRefused(
        ModelException.class,
        () -> conversion.write(home.resolve("a/b")),
        home.resolve("a").toString(),
        "make it first");
    assertEquals("mine", Files.readString(mine));
    Files.delete(mine);
    assertEquals(target().toRealPath(), conversion.write(target()).path());
    assertEquals(List.of("converted"), left());
  }

  @Test
  void aFullDiskIsFoundBeforeAnythingIsWritten() throws IOException {
    assertRefused(
        ModelException.class,
        () -> TargetDirectory.open(target(), Long.MAX_VALUE).close(),
        "free",
        home.toString());
    assertEquals(List.of(), left());
  }

  @Test
  void aConversionThatIsCalledOffLeavesNothing() throws IOException {
    List<Long> heard = new ArrayList<>();
    LoadProgress impatient =
        new LoadProgress() {
          @Override
          public void update(long doneBytes, long totalBytes) {
            heard.add(doneBytes);
          }

          @Override
          public boolean isCancelled() {
            return heard.size() == 3;
          }
        };
    ModelConversion conversion = ModelConversion.of(FLOATS).progress(impatient).build();
    assertThrows(CancellationException.class, () -> conversion.write(target()));
    assertEquals(3, heard.size());
    assertEquals(List.of(), left());
  }

  @Test
  void anInterruptCallsItOff() throws IOException {
    ModelConversion conversion = ModelConversion.of(FLOATS).build();
    Thread.currentThread().interrupt();
    assertThrows(CancellationException.class, () -> conversion.write(target()));
    assertTrue(Thread.interrupted(), "the interrupt was swallowed");
    assertEquals(List.of(), left());
  }

  @Test
  void whatIsNoNumberIsNotQuantised() throws IOException {
    Path source = withEmbedded(Float.POSITIVE_INFINITY);
    ModelConversion quantised = ModelConversion.of(source).quantize(4, 64).build();
    assertRefused(
        ModelException.class,
        () -> quantised.write(target()),
        "model.embed_tokens.weight",
        "Infinity",
        "damaged");
    assertEquals(List.of("source"), left());
  }

  @Test
  void aNumberThatAFormatDoesNotReachIsRefused() throws IOException {
    Path source = withEmbedded(1e6f);
    ModelConversion half = ModelConversion.of(source).dtype(Dtype.FLOAT16).build();
    assertRefused(
        ModelException.class,
        () -> half.write(target()),
        "model.embed_tokens.weight",
        "float16",
        "choose bfloat16");
    assertEquals(List.of("source"), left());
  }

  /** The tiny model with this number in its embedding. */
  private Path withEmbedded(float number) throws IOException {
    Path copy = Files.createDirectory(home.resolve("source"));
    Files.copy(FLOATS.resolve("config.json"), copy.resolve("config.json"));
    byte[] bytes = Files.readAllBytes(FLOATS.resolve("model.safetensors"));
    ByteBuffer file = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    int header = (int) file.getLong(0);
    JsonNode entry = new ObjectMapper().readTree(bytes, 8, header).get("model.embed_tokens.weight");
    assertEquals("F32", entry.get("dtype").textValue());
    file.putFloat(8 + header + entry.get("data_offsets").get(0).intValue() + 400, number);
    Files.write(copy.resolve("model.safetensors"), bytes);
    return copy;
  }

  @Test
  void whatAKilledConversionLeftIsSweptAwayAndWhatIsAtWorkIsNot() throws IOException {
    Path dead = Files.createDirectory(home.resolve(".converted.converting-dead"));
    Files.writeString(dead.resolve(".converting"), "");
    Files.writeString(dead.resolve("model.safetensors"), "half of it");
    Path alive = Files.createDirectory(home.resolve(".converted.converting-alive"));
    try (FileChannel channel =
            FileChannel.open(
                alive.resolve(".converting"),
                StandardOpenOption.CREATE_NEW,
                StandardOpenOption.WRITE);
        FileLock lock = channel.lock()) {
      assertTrue(lock.isValid());
      ModelConversion.of(FLOATS).build().write(target());
    }
    assertEquals(List.of(".converted.converting-alive", "converted"), left());
  }

  @Test
  void filesBesideTheWeightsComeAlongAndCodeDoesNot() throws IOException {
    Path source = Files.createDirectory(home.resolve("source"));
    Files.copy(FLOATS.resolve("config.json"), source.resolve("config.json"));
    Files.copy(FLOATS.resolve("model.safetensors"), source.resolve("model.safetensors"));
    for (String name : List.of("README.md", "LICENSE", "vocab.json", "code.py", ".hidden.json")) {
      Files.writeString(source.resolve(name), "{}");
    }
    Files.createDirectory(source.resolve("additional_chat_templates"));
    Files.writeString(source.resolve("additional_chat_templates/tool_use.jinja"), "x");
    ModelConversion.of(source).build().write(target());
    assertEquals(
        List.of(
            "LICENSE",
            "README.md",
            "additional_chat_templates",
            "config.json",
            "model.safetensors",
            "vocab.json"),
        names(target()));
    assertTrue(Files.exists(target().resolve("additional_chat_templates/tool_use.jinja")));
  }

  @Test
  void settingsThatMlxHasNotAreRefused() {
    ModelConversion.Builder builder = ModelConversion.of(FLOATS);
    assertRefused(IllegalArgumentException.class, () -> builder.quantize(7, 64), "7", "2, 3, 4");
    assertRefused(IllegalArgumentException.class, () -> builder.quantize(4, 48), "48", "32, 64");
    builder.quantize(4, 64).dequantize();
    assertRefused(IllegalArgumentException.class, builder::build, "not both");
  }

  @Test
  void theRuleBehindFactorsOfPositionsIsFoundAgain() throws IOException {
    Path source = Sources.gguf("tiny-llama3-rope-f32", "llama", home);
    try (Checkpoint checkpoint = Checkpoints.open(source)) {
      ModelConfig factors = checkpoint.config().section("rope_scaling").orElseThrow();
      Map<String, Object> rule = Llama3Factors.rule(factors, checkpoint);
      assertEquals("llama3", rule.get("rope_type"));
      assertEquals(64, rule.get("original_max_position_embeddings"));
      assertEquals(8f, rule.get("factor"));
      ModelConfig odd =
          new ModelConfig("odd.gguf", Map.of("factors", List.of(1f, 2f, 1f, 3f, 1f, 2f, 1f, 3f)));
      assertRefused(
          ModelException.class,
          () -> Llama3Factors.rule(odd, checkpoint),
          "odd.gguf",
          "rope_freqs.weight",
          "llama3");
    }
  }
}
