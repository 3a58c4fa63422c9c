package dev.semantic.mlx.checkpoint;

import dev.semantic.mlx.architecture.AttentionSpec;
import dev.semantic.mlx.architecture.ModelDescription;
import dev.semantic.mlx.architecture.RopeScaling;
import dev.semantic.mlx.architecture.RotarySpec;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Writes a model of a directory as a GGUF file in float32, the way llama.cpp's converter does. */
public final class GgufOf {
  private record Tensor(int[] shape, float[] numbers) {}

  private final Checkpoint model;
  private final String architecture;
  private final Map<String, Object> metadata = new LinkedHashMap<>();
  private final Map<String, Tensor> tensors = new LinkedHashMap<>();

  private GgufOf(Checkpoint model, String architecture) {
    this.model = model;
    this.architecture = architecture;
  }

  /**
   * Writes the file.
   *
   * @param architecture GGUF's name of it
   */
  public static Path write(Checkpoint model, String architecture, Path file) throws IOException {
    GgufOf gguf = new GgufOf(model, architecture);
    gguf.describe();
    model.tensors().keySet().forEach(gguf::tensor);
    return Files.write(file, gguf.bytes());
  }

  private void describe() {
    ModelDescription description = model.decoder();
    AttentionSpec attention = description.layers().getFirst().attention();
    metadata.put("general.architecture", architecture);
    put("embedding_length", description.hiddenSize());
    put("block_count", description.layers().size());
    put("attention.head_count", attention.heads());
    put("attention.head_count_kv", attention.kvHeads());
    put("attention.key_length", attention.headDim());
    put("attention.value_length", attention.headDim());
    put("feed_forward_length", description.layers().getFirst().feedForward().width());
    put("context_length", description.contextLength());
    put("attention.layer_norm_rms_epsilon", description.norms().eps());
    put("rope.freq_base", attention.rotary().base());
    put("rope.dimension_count", attention.rotary().dimensions());
    if (architecture.equals("gemma2")) {
      put("attn_logit_softcapping", attention.softcap());
      put("final_logit_softcapping", description.logitSoftcap());
    }
    scaling(attention.rotary());
    metadata.put("tokenizer.ggml.model", "gpt2");
    List<String> tokens = new ArrayList<>();
    for (int i = 0; i < description.vocabularySize(); i++) {
      tokens.add("t" + i);
    }
    metadata.put("tokenizer.ggml.tokens", tokens);
    metadata.put("tokenizer.ggml.merges", List.of());
  }

  private void put(String key, Object value) {
    metadata.put(architecture + "." + key, value);
  }

  private void scaling(RotarySpec rotary) {
    switch (rotary.scaling()) {
      case RopeScaling.None none -> {}
      case RopeScaling.Linear(float factor) -> {
        put("rope.scaling.type", "linear");
        put("rope.scaling.factor", factor);
      }
      case RopeScaling.Yarn yarn -> {
        put("rope.scaling.type", "yarn");
        put("rope.scaling.factor", yarn.factor());
        put("rope.scaling.original_context_length", (int) yarn.originalContext());
      }
      case RopeScaling.Llama3 llama3 -> {
        float[] plain =
            new RotarySpec(rotary.dimensions(), rotary.base(), new RopeScaling.None())
                .wavelengths();
        float[] factors = rotary.wavelengths();
        for (int i = 0; i < factors.length; i++) {
          factors[i] /= plain[i];
        }
        tensors.put(GgufNames.ROPE_FACTORS, new Tensor(new int[] {factors.length}, factors));
      }
      case RopeScaling.Factors factors -> longRope(factors, factors);
      case RopeScaling.LongRope both -> longRope(both.near(), both.far());
    }
  }

  private void longRope(RopeScaling.Factors near, RopeScaling.Factors far) {
    int original = model.config().count("original_max_position_embeddings");
    put("rope.scaling.original_context_length", original);
    put("rope.scaling.attn_factor", far.magnitude());
    tensors.put(GgufNames.LONG_FACTORS, numbers(far));
    tensors.put(GgufNames.SHORT_FACTORS, numbers(near));
  }

  private static Tensor numbers(RopeScaling.Factors factors) {
    float[] numbers = new float[factors.factors().size()];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = factors.factors().get(i);
    }
    return new Tensor(new int[] {numbers.length}, numbers);
  }

  private void tensor(String name) {
    TensorInfo info = model.info(name);
    float[] numbers = new float[(int) info.elements()];
    model.expand(name, 0, info.rows(), numbers);
    boolean sandwich = model.decoder().layers().getFirst().sandwich();
    if (model.decoder().norms().aroundOne() && info.shape().length == 1) {
      for (int i = 0; i < numbers.length; i++) {
        numbers[i] += 1;
      }
    }
    AttentionSpec attention = model.decoder().layers().getFirst().attention();
    int rows = info.shape()[0]; // of a bias, its numbers
    GgufNames.interleavedHeads(architecture, attention.heads(), attention.kvHeads(), name)
        .ifPresent(heads -> interleave(numbers, heads, rows / heads, numbers.length / rows));
    tensors.put(GgufNames.of(name, sandwich), new Tensor(info.shape(), numbers));
  }

  /** The two halves of each head, row by row in turn. */
  private static void interleave(float[] numbers, int heads, int headDim, int columns) {
    float[] before = numbers.clone();
    for (int head = 0; head < heads; head++) {
      for (int row = 0; row < headDim; row++) {
        int to = row < headDim / 2 ? 2 * row : 2 * (row - headDim / 2) + 1;
        System.arraycopy(
            before,
            (head * headDim + row) * columns,
            numbers,
            (head * headDim + to) * columns,
            columns);
      }
    }
  }

  private byte[] bytes() {
    int numbers = tensors.values().stream().mapToInt(t -> 4 * t.numbers().length + 32).sum();
    ByteBuffer out = ByteBuffer.allocate(numbers + (1 << 16)).order(ByteOrder.LITTLE_ENDIAN);
    out.putInt(0x46554747).putInt(3).putLong(tensors.size()).putLong(metadata.size());
    metadata.forEach(
        (key, value) -> {
          string(out, key);
          value(out, value);
        });
    long offset = 0;
    for (Map.Entry<String, Tensor> tensor : tensors.entrySet()) {
      string(out, tensor.getKey());
      int[] shape = tensor.getValue().shape();
      out.putInt(shape.length);
      for (int i = shape.length - 1; i >= 0; i--) {
        out.putLong(shape[i]);
      }
      out.putInt(0).putLong(offset);
      offset += aligned(4L * tensor.getValue().numbers().length);
    }
    out.position((int) aligned(out.position()));
    for (Tensor tensor : tensors.values()) {
      for (float number : tensor.numbers()) {
        out.putFloat(number);
      }
      out.position((int) aligned(out.position()));
    }
    byte[] bytes = new byte[out.position()];
    out.flip().get(bytes);
    return bytes;
  }

  private static long aligned(long offset) {
    return Math.ceilDiv(offset, 32) * 32;
  }

  private static void value(ByteBuffer out, Object value) {
    switch (value) {
      case String text -> string(out.putInt(8), text);
      case Integer number -> out.putInt(4).putInt(number);
      case Float number -> out.putInt(6).putFloat(number);
      case List<?> texts -> {
        out.putInt(9).putInt(8).putLong(texts.size());
        texts.forEach(text -> string(out, String.valueOf(text)));
      }
      default -> throw new IllegalArgumentException(String.valueOf(value));
    }
  }

  private static void string(ByteBuffer out, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    out.putLong(bytes.length).put(bytes);
  }
}
