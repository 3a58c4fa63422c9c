package dev.semantic.mlx.checkpoint;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Writes a quantised llama of one layer and a few kilobytes in MLX's layout, right in every part
 * unless it is changed.
 */
public final class TinyDirectory {
  private static final int HIDDEN = 64;
  private static final int WIDE = 64;
  private static final int VOCABULARY = 4;

  /** A tensor as the header has it; its numbers are zero. */
  public record Tensor(String dtype, int... shape) {
    int bytes() {
      int width =
          switch (dtype) {
            case "U8" -> 1;
            case "F16", "BF16" -> 2;
            default -> 4;
          };
      return Arrays.stream(shape).reduce(width, (a, b) -> a * b);
    }
  }

  final Map<String, Object> config = new LinkedHashMap<>();
  public final Map<String, Tensor> tensors = new LinkedHashMap<>();

  public TinyDirectory() {
    config.put("model_type", "llama");
    config.put("hidden_size", HIDDEN);
    config.put("num_hidden_layers", 1);
    config.put("intermediate_size", WIDE);
    config.put("num_attention_heads", 4);
    config.put("num_key_value_heads", 2);
    config.put("rms_norm_eps", 1e-5);
    config.put("vocab_size", VOCABULARY);
    config.put("max_position_embeddings", 32);
    config.put("quantization", new LinkedHashMap<>(Map.of("group_size", 32, "bits", 4)));
    quantised("model.embed_tokens", VOCABULARY, HIDDEN);
    String at = "model.layers.0.";
    tensors.put(at + "input_layernorm.weight", new Tensor("F32", HIDDEN));
    quantised(at + "self_attn.q_proj", HIDDEN, HIDDEN);
    quantised(at + "self_attn.k_proj", HIDDEN / 2, HIDDEN);
    quantised(at + "self_attn.v_proj", HIDDEN / 2, HIDDEN);
    quantised(at + "self_attn.o_proj", HIDDEN, HIDDEN);
    tensors.put(at + "post_attention_layernorm.weight", new Tensor("F32", HIDDEN));
    quantised(at + "mlp.gate_proj", WIDE, HIDDEN);
    quantised(at + "mlp.up_proj", WIDE, HIDDEN);
    quantised(at + "mlp.down_proj", HIDDEN, WIDE);
    tensors.put("model.norm.weight", new Tensor("F32", HIDDEN));
  }

  private void quantised(String module, int out, int in) {
    tensors.put(module + ".weight", new Tensor("U32", out, in * 4 / 32));
    tensors.put(module + ".scales", new Tensor("F32", out, in / 32));
    tensors.put(module + ".biases", new Tensor("F32", out, in / 32));
  }

  public TinyDirectory with(String key, Object value) {
    config.put(key, value);
    return this;
  }

  TinyDirectory quantization(String key, Object value) {
    @SuppressWarnings("unchecked") // put there by the constructor
    Map<String, Object> settings =
        (Map<String, Object>) Objects.requireNonNull(config.get("quantization"));
    settings.put(key, value);
    return this;
  }

  public TinyDirectory tensor(String name, String dtype, int... shape) {
    tensors.put(name, new Tensor(dtype, shape));
    return this;
  }

  public TinyDirectory without(String name) {
    tensors.remove(name);
    config.remove(name);
    return this;
  }

  public Path write(Path directory) throws IOException {
    config(directory);
    Files.write(directory.resolve("model.safetensors"), bytes(List.copyOf(tensors.keySet())));
    return directory;
  }

  /**
   * The same with numbers that take no room on the disk, for models that only their header is read
   * of.
   */
  public Path writeHollow(Path directory) throws IOException {
    config(directory);
    long numbers = tensors.values().stream().mapToLong(Tensor::bytes).sum();
    byte[] text = header(List.copyOf(tensors.keySet())).getBytes(StandardCharsets.UTF_8);
    try (RandomAccessFile file =
        new RandomAccessFile(directory.resolve("model.safetensors").toFile(), "rw")) {
      file.setLength(0);
      file.write(
          ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(text.length).array());
      file.write(text);
      file.setLength(8 + text.length + numbers);
    }
    return directory;
  }

  /** In two files, with an index. */
  Path writeSharded(Path directory) throws IOException {
    config(directory);
    List<String> names = List.copyOf(tensors.keySet());
    Map<String, String> index = new LinkedHashMap<>();
    for (int shard = 0; shard < 2; shard++) {
      int half = names.size() / 2;
      List<String> mine = shard == 0 ? names.subList(0, half) : names.subList(half, names.size());
      Files.write(directory.resolve(shard(shard)), bytes(mine));
      for (String name : mine) {
        index.put(name, shard(shard));
      }
    }
    index(directory, index);
    return directory;
  }

  static String shard(int index) {
    return "model-%05d-of-00002.safetensors".formatted(index + 1);
  }

  static void index(Path directory, Map<String, String> index) throws IOException {
    new ObjectMapper()
        .writeValue(
            directory.resolve("model.safetensors.index.json").toFile(),
            Map.of("weight_map", index));
  }

  private void config(Path directory) throws IOException {
    new ObjectMapper().writeValue(directory.resolve("config.json").toFile(), config);
  }

  byte[] bytes() throws IOException {
    return bytes(List.copyOf(tensors.keySet()));
  }

  byte[] bytes(List<String> names) throws IOException {
    int numbers =
        names.stream().map(tensors::get).map(Objects::requireNonNull).mapToInt(Tensor::bytes).sum();
    return file(header(names), numbers);
  }

  private String header(List<String> names) throws IOException {
    Map<String, Object> header = new LinkedHashMap<>();
    header.put("__metadata__", Map.of("format", "mlx"));
    int end = 0;
    for (String name : names) {
      Tensor tensor = Objects.requireNonNull(tensors.get(name));
      int begin = end;
      end += tensor.bytes();
      Map<String, Object> entry = new LinkedHashMap<>();
      entry.put("dtype", tensor.dtype());
      entry.put("shape", tensor.shape());
      entry.put("data_offsets", List.of(begin, end));
      header.put(name, entry);
    }
    return new ObjectMapper().writeValueAsString(header);
  }

  /** A file of this header and so many bytes of numbers. */
  static byte[] file(String header, int numbers) {
    byte[] text = header.getBytes(StandardCharsets.UTF_8);
    ByteBuffer out = ByteBuffer.allocate(8 + text.length + numbers).order(ByteOrder.LITTLE_ENDIAN);
    out.putLong(text.length).put(text);
    return out.array();
  }
}
