package dev.semantic.mlx.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;

/** A small model that computes: random float32 weights in a GGUF file, with a tokenizer. */
public final class RandomGguf {
  public static final int VOCABULARY = 64;

  private static final int HIDDEN = 32;
  private static final int WIDE = 48;
  private static final int HEADS = 4;
  private static final int KV_HEADS = 2;
  private static final int HEAD_DIM = 16;

  private final Map<String, Object> metadata = new LinkedHashMap<>();
  private final Map<String, int[]> tensors = new LinkedHashMap<>();
  private final Map<String, Map<Integer, Float>> set = new HashMap<>();

  private RandomGguf(String architecture, int layers) {
    metadata.put("general.architecture", architecture);
    String at = architecture + ".";
    metadata.put(at + "embedding_length", HIDDEN);
    metadata.put(at + "block_count", layers);
    metadata.put(at + "attention.head_count", HEADS);
    metadata.put(at + "attention.head_count_kv", KV_HEADS);
    metadata.put(at + "attention.key_length", HEAD_DIM);
    metadata.put(at + "attention.value_length", HEAD_DIM);
    metadata.put(at + "feed_forward_length", WIDE);
    metadata.put(at + "context_length", 4096);
    metadata.put(at + "attention.layer_norm_rms_epsilon", 1e-5f);
    metadata.put("tokenizer.ggml.model", "gpt2");
    metadata.put("tokenizer.ggml.pre", "default");
    metadata.put(
        "tokenizer.ggml.tokens", IntStream.range(0, VOCABULARY).mapToObj(i -> "t" + i).toList());
    metadata.put("tokenizer.ggml.merges", List.of());
    tensors.put("token_embd.weight", new int[] {VOCABULARY, HIDDEN});
    tensors.put("output_norm.weight", new int[] {HIDDEN});
    for (int i = 0; i < layers; i++) {
      layer("blk." + i + ".");
    }
  }

  private void layer(String at) {
    tensors.put(at + "attn_norm.weight", new int[] {HIDDEN});
    tensors.put(at + "attn_q.weight", new int[] {HEADS * HEAD_DIM, HIDDEN});
    tensors.put(at + "attn_k.weight", new int[] {KV_HEADS * HEAD_DIM, HIDDEN});
    tensors.put(at + "attn_v.weight", new int[] {KV_HEADS * HEAD_DIM, HIDDEN});
    tensors.put(at + "attn_output.weight", new int[] {HIDDEN, HEADS * HEAD_DIM});
    tensors.put(at + "ffn_norm.weight", new int[] {HIDDEN});
    tensors.put(at + "ffn_gate.weight", new int[] {WIDE, HIDDEN});
    tensors.put(at + "ffn_up.weight", new int[] {WIDE, HIDDEN});
    tensors.put(at + "ffn_down.weight", new int[] {HIDDEN, WIDE});
  }

  public static RandomGguf llama(int layers) {
    return new RandomGguf("llama", layers);
  }

  /** Every sixth layer attends to everything, the others to {@code window} tokens. */
  public static RandomGguf gemma3(int layers, int window) {
    RandomGguf gguf = new RandomGguf("gemma3", layers);
    gguf.metadata.put("gemma3.attention.sliding_window", window);
    for (int i = 0; i < layers; i++) {
      String at = "blk." + i + ".";
      gguf.tensors.put(at + "attn_q_norm.weight", new int[] {HEAD_DIM});
      gguf.tensors.put(at + "attn_k_norm.weight", new int[] {HEAD_DIM});
      gguf.tensors.put(at + "post_attention_norm.weight", new int[] {HIDDEN});
      gguf.tensors.put(at + "post_ffw_norm.weight", new int[] {HIDDEN});
    }
    return gguf;
  }

  /** With a number of a tensor as it is said, not random. */
  public RandomGguf with(String tensor, int index, float value) {
    set.computeIfAbsent(tensor, _ -> new HashMap<>()).put(index, value);
    return this;
  }

  /** The file; equal seeds make equal files. */
  public Path write(Path directory, String name, long seed) {
    try {
      return Files.write(directory.resolve(name + ".gguf"), bytes(new Random(seed)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private byte[] bytes(Random random) {
    ByteBuffer out = ByteBuffer.allocate(1 << 22).order(ByteOrder.LITTLE_ENDIAN);
    out.putInt(0x46554747).putInt(3).putLong(tensors.size()).putLong(metadata.size());
    metadata.forEach((key, value) -> value(string(out, key), value));
    long offset = 0;
    for (Map.Entry<String, int[]> tensor : tensors.entrySet()) {
      int[] shape = tensor.getValue();
      string(out, tensor.getKey()).putInt(shape.length);
      for (int i = shape.length - 1; i >= 0; i--) {
        out.putLong(shape[i]);
      }
      out.putInt(0).putLong(offset);
      offset += Math.ceilDiv(4L * elements(shape), 32) * 32;
    }
    for (Map.Entry<String, int[]> tensor : tensors.entrySet()) {
      int[] shape = tensor.getValue();
      Map<Integer, Float> said = set.getOrDefault(tensor.getKey(), Map.of());
      align(out);
      boolean norm = shape.length == 1;
      double spread = norm ? 0.1 : 1 / Math.sqrt(shape[1]);
      for (int i = 0; i < elements(shape); i++) {
        float number = (float) (random.nextGaussian() * spread + (norm ? 1 : 0));
        out.putFloat(said.getOrDefault(i, number));
      }
    }
    align(out);
    byte[] bytes = new byte[out.position()];
    out.flip().get(bytes);
    return bytes;
  }

  private static void align(ByteBuffer out) {
    out.position(Math.ceilDiv(out.position(), 32) * 32);
  }

  private static int elements(int[] shape) {
    return IntStream.of(shape).reduce(1, Math::multiplyExact);
  }

  private static void value(ByteBuffer out, Object value) {
    switch (value) {
      case String text -> string(out.putInt(8), text);
      case Integer number -> out.putInt(4).putInt(number);
      case Float number -> out.putInt(6).putFloat(number);
      case List<?> texts -> {
        out.putInt(9).putInt(8).putLong(texts.size());
        new ArrayList<>(texts).forEach(text -> string(out, String.valueOf(text)));
      }
      default -> throw new IllegalArgumentException("No GGUF value: " + value);
    }
  }

  private static ByteBuffer string(ByteBuffer out, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    return out.putLong(bytes.length).put(bytes);
  }
}
