package dev.semantic.mlx.checkpoint;

import static dev.semantic.mlx.testing.Refusal.assertRefused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.semantic.mlx.architecture.Architecture;
import dev.semantic.mlx.architecture.ModelConfig;
import dev.semantic.mlx.architecture.ModelDescription;
import dev.semantic.model.ModelException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Directories in MLX's layout that are right, and in every way wrong. */
class DirectoryCheckpointTest {
  private static final String QUERIES = "model.layers.0.self_attn.q_proj";

  @TempDir private Path directory = Path.of("");

  private void refused(TinyDirectory model, String... words) throws IOException {
    refused(model.write(directory), words);
  }

  private static void refused(Path path, String... words) {
    assertRefused(ModelException.class, () -> Checkpoints.open(path).close(), words);
  }

  @Test
  void aWholeDirectoryIsRead() throws IOException {
    try (Checkpoint tiny = Checkpoints.open(new TinyDirectory().write(directory))) {
      assertEquals("4-bit, group 32", tiny.quantization());
      assertEquals(16, tiny.decoder().layers().getFirst().attention().headDim());
      assertEquals(64L * 4 + 3 * 64 + 64 * 64 * 6, tiny.parameters());
      tiny.verifyUnchanged();
    }
    try (Checkpoint parted = Checkpoints.open(new TinyDirectory().writeSharded(directory))) {
      assertEquals(11, parted.tensors().size(), "three norms, seven matrices, a table");
    }
  }

  @Test
  void settingsOfSingleLayersAreHonoured() throws IOException {
    TinyDirectory model =
        new TinyDirectory()
            .quantization(QUERIES, Map.of("bits", 8, "group_size", 64))
            .quantization("model.layers.0.mlp.up_proj", false)
            .quantization("model.layers.0.mlp.down_proj", true)
            .tensor(QUERIES + ".weight", "U32", 64, 16)
            .tensor(QUERIES + ".scales", "F32", 64, 1)
            .tensor(QUERIES + ".biases", "F32", 64, 1)
            .without("model.layers.0.mlp.up_proj.scales")
            .without("model.layers.0.mlp.up_proj.biases")
            .tensor("model.layers.0.mlp.up_proj.weight", "F32", 64, 64);
    try (Checkpoint mixed = Checkpoints.open(model.write(directory))) {
      assertEquals("8-bit, group 64", mixed.info(QUERIES + ".weight").type().label());
      assertEquals("F32", mixed.info("model.layers.0.mlp.up_proj.weight").type().label());
      assertEquals(
          "4-bit, group 32", mixed.info("model.layers.0.mlp.down_proj.weight").type().label());
    }
  }

  @Test
  void configurationsThatCannotBeAreNamed() throws IOException {
    refused(
        new TinyDirectory().with("model_type", "mamba"),
        "config.json",
        "'mamba'",
        "known are gemma2, gemma3, gemma3_text,",
        "llama, mistral, phi3, qwen2, qwen3",
        Architecture.class.getName());
    refused(new TinyDirectory().without("hidden_size"), "config.json", "hidden_size is missing");
    refused(new TinyDirectory().with("hidden_size", "wide"), "hidden_size is \"wide\"");
    refused(
        new TinyDirectory().with("num_hidden_layers", 1 << 24), "num_hidden_layers is 16777216");
    refused(new TinyDirectory().with("num_hidden_layers", 1L << 40), "from 1 to 16777216");
    refused(
        new TinyDirectory().with("num_attention_heads", 3).with("head_dim", 16),
        "3 heads cannot share 2");
    refused(new TinyDirectory().with("num_attention_heads", 128), "even number");
    refused(
        new TinyDirectory().with("num_attention_heads", 1 << 24).with("head_dim", 1 << 24),
        "cannot be");
    refused(new TinyDirectory().with("rope_scaling", Map.of("type", "spiral")), "'spiral'");
    refused(new TinyDirectory().with("rope_scaling", 7), "rope_scaling is 7");
    refused(new TinyDirectory().with("tie_word_embeddings", "no"), "tie_word_embeddings");
    Files.writeString(directory.resolve("config.json"), "{\"a\":".repeat(200));
    refused(directory, "config.json", "depth");
    Files.writeString(directory.resolve("config.json"), "{\"a\": 1, \"a\": 2}");
    refused(directory, "config.json", "Duplicate");
    Files.writeString(directory.resolve("config.json"), "[]");
    refused(directory, "config.json");
  }

  @Test
  void configurationsThatContradictTheTensorsAreNamed() throws IOException {
    refused(
        new TinyDirectory().with("hidden_size", 128),
        "input_layernorm.weight",
        "is [64], expected [128] (hidden_size 128)");
    refused(
        new TinyDirectory().with("num_hidden_layers", 2),
        "model.layers.1.input_layernorm.weight",
        "2 layers");
    refused(new TinyDirectory().with("tie_word_embeddings", false), "lm_head.weight");
    refused(
        new TinyDirectory().tensor("model.norm.weight", "F32", 32),
        "tensor model.norm.weight in model.safetensors is [32], expected [64] (hidden_size 64).",
        "another model's file");
    refused(new TinyDirectory().with("attention_bias", true), QUERIES + ".bias");
    refused(
        new TinyDirectory().tensor(QUERIES + ".bias", "F32", 64), QUERIES + ".bias", "not know");
    refused(new TinyDirectory().without(QUERIES + ".biases"), QUERIES + ".biases");
    refused(new TinyDirectory().tensor(QUERIES + ".weight", "I32", 64, 8), "of I32");
    refused(new TinyDirectory().tensor(QUERIES + ".weight", "U32", 64, 9), "[64, 9]");
    refused(new TinyDirectory().tensor("model.norm.weight", "I32", 64), "is of I32");
  }

  @Test
  void otherWaysToQuantiseAreNamed() throws IOException {
    refused(new TinyDirectory().quantization("mode", "mxfp4"), "'mxfp4'", "affine");
    refused(
        new TinyDirectory()
            .quantization(QUERIES, Map.of("bits", 4, "group_size", 32, "mode", "nvfp4")),
        "'nvfp4'",
        QUERIES);
    refused(
        new TinyDirectory().quantization(QUERIES, Map.of("bits", 8, "group_size", 32)),
        "8 bits",
        "have 4 bits");
    refused(new TinyDirectory().quantization(QUERIES, false), QUERIES + " is false");
    refused(new TinyDirectory().quantization(QUERIES, "yes"), QUERIES + " is \"yes\"");
    refused(
        new TinyDirectory().quantization(QUERIES, true).quantization("bits", 8),
        "8 bits",
        "have 4 bits");
    refused(new TinyDirectory().tensor(QUERIES + ".scales", "U8", 64, 2), "U8", "affine");
    refused(
        new TinyDirectory().tensor(QUERIES + ".scales", "U8", 64, 2).without(QUERIES + ".biases"),
        "U8",
        "affine");
    refused(new TinyDirectory().quantization("bits", "four"), "bits is \"four\"");
    refused(new TinyDirectory().without("quantization"), "nothing of quantisation");
    refused(
        new TinyDirectory()
            .without("quantization")
            .with("quantization_config", Map.of("quant_method", "awq")),
        "'awq'",
        "mlx-lm");
  }

  @Test
  void shardsThatDoNotBelongTogetherAreNamed() throws IOException {
    TinyDirectory model = new TinyDirectory();
    model.writeSharded(directory);
    Path second = directory.resolve(TinyDirectory.shard(1));
    byte[] whole = Files.readAllBytes(second);
    Files.delete(second);
    refused(directory, "lacks the file " + TinyDirectory.shard(1));
    Files.copy(directory.resolve(TinyDirectory.shard(0)), second);
    refused(directory, "lies in", TinyDirectory.shard(0), TinyDirectory.shard(1), "twice");
    Files.write(second, whole);
    Map<String, String> index = new LinkedHashMap<>();
    index.put("model.norm.weight", TinyDirectory.shard(0));
    index.put("model.embed_tokens.weight", TinyDirectory.shard(1));
    TinyDirectory.index(directory, index);
    refused(directory, "says that tensor", "does not");
    for (String outside : List.of("../model.safetensors", "/etc/passwd", "..", "a/b")) {
      index.put("model.norm.weight", outside);
      TinyDirectory.index(directory, index);
      refused(directory, outside, "not one of its own");
    }
    Files.writeString(
        directory.resolve("model.safetensors.index.json"),
        "{\"weight_map\": {\"a\": \"b\", \"a\": \"c\"}}");
    refused(directory, "index.json", "Duplicate");
    Files.delete(directory.resolve("model.safetensors.index.json"));
    Checkpoints.open(directory).close();
    Files.delete(second);
    refused(directory, "lacks shard 2 of 2");
    Files.delete(directory.resolve(TinyDirectory.shard(0)));
    refused(directory, "neither model.safetensors nor");
  }

  /** As Finder leaves it on a file system that is not a Mac's. */
  @Test
  void whatMacOsKeepsBesideShardsIsLeftAside() throws IOException {
    new TinyDirectory().writeSharded(directory);
    Files.delete(directory.resolve("model.safetensors.index.json"));
    Files.write(directory.resolve("._" + TinyDirectory.shard(0)), new byte[] {0, 5, 0x16, 7});
    Checkpoints.open(directory).close();
  }

  @Test
  void linksStayWithinTheModelOrTheHubsBlobs() throws IOException {
    Path hub = Files.createDirectories(directory.resolve("models--a--b"));
    Path snapshot = Files.createDirectories(hub.resolve("snapshots").resolve("1"));
    Path blobs = Files.createDirectories(hub.resolve("blobs"));
    new TinyDirectory().write(snapshot);
    for (String name : List.of("config.json", "model.safetensors")) {
      Files.move(snapshot.resolve(name), blobs.resolve(name + "-hash"));
      Files.createSymbolicLink(
          snapshot.resolve(name), Path.of("..", "..", "blobs", name + "-hash"));
    }
    Checkpoints.open(snapshot).close();
    Path elsewhere = Files.createDirectories(directory.resolve("elsewhere"));
    new TinyDirectory().write(elsewhere);
    Path weights = elsewhere.resolve("model.safetensors");
    Files.delete(weights);
    Files.createSymbolicLink(weights, blobs.resolve("model.safetensors-hash"));
    refused(elsewhere, weights.toString(), "is a link to", "outside");
    Files.delete(weights);
    Files.createSymbolicLink(weights, directory.resolve("nowhere"));
    refused(elsewhere, weights.toString(), "not there");
  }

  @Test
  void theFingerprintIsOfEveryFileThatMatters() throws IOException {
    new TinyDirectory().writeSharded(directory);
    byte[] before = fingerprint();
    assertArrayEquals(before, fingerprint());
    Files.writeString(directory.resolve("README.md"), "words");
    assertArrayEquals(before, fingerprint());
    byte[] last = before;
    for (String name : List.of("tokenizer.json", "tokenizer_config.json", "chat_template.jinja")) {
      Files.writeString(directory.resolve(name), "{}");
      byte[] now = fingerprint();
      assertFalse(Arrays.equals(last, now), name);
      last = now;
    }
    Path shard = directory.resolve(TinyDirectory.shard(1));
    byte[] bytes = Files.readAllBytes(shard);
    bytes[bytes.length - 1] ^= 1;
    Files.write(shard, bytes);
    assertFalse(Arrays.equals(last, fingerprint()), "a weight of the second shard");
  }

  private byte[] fingerprint() {
    try (Checkpoint checkpoint = Checkpoints.open(directory)) {
      return checkpoint.fingerprint();
    }
  }

  @Test
  void aFileThatChangesAfterItWasCheckedIsNotLoaded() throws IOException {
    for (String name : List.of("config.json", "model.safetensors")) {
      new TinyDirectory().write(directory);
      try (Checkpoint tiny = Checkpoints.open(directory)) {
        tiny.verifyUnchanged();
        Files.write(directory.resolve(name), new byte[] {1, 2, 3});
        assertRefused(ModelException.class, tiny::verifyUnchanged, name, "changed");
      }
    }
  }

  @Test
  void whatTheArchitectureThrowsNamesTheConfiguration() {
    ModelConfig config = new ModelConfig("config.json", new TinyDirectory().config);
    ModelDescription description = Architecture.of(config).decoder(config);
    assertEquals(1, description.layers().size());
    assertEquals("config.json: it is wrong", config.wrong("it is wrong").getMessage());
  }
}
