package dev.semantic.mlx.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Writes a llama of one layer and a few kilobytes, right in every part unless it is changed. */
final class TinyGguf {
  private static final int HIDDEN = 8;
  private static final int WIDE = 16;
  private static final int VOCABULARY = 4;

  private final Map<String, Object> metadata = new LinkedHashMap<>();
  private final Map<String, int[]> tensors = new LinkedHashMap<>();

  TinyGguf() {
    metadata.put("general.architecture", "llama");
    metadata.put("llama.embedding_length", HIDDEN);
    metadata.put("llama.block_count", 1);
    metadata.put("llama.attention.head_count", 2);
    metadata.put("llama.attention.head_count_kv", 1);
    metadata.put("llama.feed_forward_length", WIDE);
    metadata.put("llama.context_length", 32);
    metadata.put("llama.attention.layer_norm_rms_epsilon", 1e-5f);
    tensors.put("token_embd.weight", new int[] {VOCABULARY, HIDDEN});
    tensors.put("blk.0.attn_norm.weight", new int[] {HIDDEN});
    tensors.put("blk.0.attn_q.weight", new int[] {HIDDEN, HIDDEN});
    tensors.put("blk.0.attn_k.weight", new int[] {HIDDEN / 2, HIDDEN});
    tensors.put("blk.0.attn_v.weight", new int[] {HIDDEN / 2, HIDDEN});
    tensors.put("blk.0.attn_output.weight", new int[] {HIDDEN, HIDDEN});
    tensors.put("blk.0.ffn_norm.weight", new int[] {HIDDEN});
    tensors.put("blk.0.ffn_gate.weight", new int[] {WIDE, HIDDEN});
    tensors.put("blk.0.ffn_up.weight", new int[] {WIDE, HIDDEN});
    tensors.put("blk.0.ffn_down.weight", new int[] {HIDDEN, WIDE});
    tensors.put("output_norm.weight", new int[] {HIDDEN});
  }

  TinyGguf with(String key, Object value) {
    metadata.put(key, value);
    return this;
  }

  TinyGguf tensor(String name, int... shape) {
    tensors.put(name, shape);
    return this;
  }

  TinyGguf without(String tensor) {
    tensors.remove(tensor);
    return this;
  }

  /** Numbers count up from tensor to tensor, so that each row is known by its first. */
  byte[] bytes() {
    ByteBuffer out = ByteBuffer.allocate(1 << 16).order(ByteOrder.LITTLE_ENDIAN);
    out.putInt(0x46554747).putInt(3).putLong(tensors.size()).putLong(metadata.size());
    metadata.forEach((key, value) -> pair(out, key, value));
    long offset = 0;
    for (Map.Entry<String, int[]> tensor : tensors.entrySet()) {
      string(out, tensor.getKey());
      int[] shape = tensor.getValue();
      out.putInt(shape.length);
      for (int i = shape.length - 1; i >= 0; i--) {
        out.putLong(shape[i]);
      }
      out.putInt(0).putLong(offset);
      offset += aligned(4L * elements(shape));
    }
    out.position((int) aligned(out.position()));
    float next = 0;
    for (int[] shape : tensors.values()) {
      for (int i = 0; i < elements(shape); i++) {
        out.putFloat(next++);
      }
      out.position((int) aligned(out.position()));
    }
    byte[] bytes = new byte[out.position()];
    out.flip().get(bytes);
    return bytes;
  }

  /**
   * In two parts, the second with the tensors whose names are given.
   *
   * @return the first
   */
  Path writeSplit(Path directory, String... second) throws IOException {
    Map<String, int[]> all = new LinkedHashMap<>(tensors);
    Map<String, Object> said = new LinkedHashMap<>(metadata);
    for (int part = 0; part < 2; part++) {
      tensors.clear();
      tensors.putAll(all);
      boolean last = part == 1;
      tensors.keySet().removeIf(name -> List.of(second).contains(name) != last);
      metadata.put("split.no", part);
      metadata.put("split.count", 2);
      metadata.put("split.tensors.count", all.size());
      Files.write(directory.resolve("m-0000%d-of-00002.gguf".formatted(part + 1)), bytes());
    }
    tensors.clear();
    tensors.putAll(all);
    metadata.clear();
    metadata.putAll(said);
    return directory.resolve("m-00001-of-00002.gguf");
  }

  Path write(Path directory) throws IOException {
    return Files.write(directory.resolve("tiny.gguf"), bytes());
  }

  private static int elements(int[] shape) {
    int product = 1;
    for (int length : shape) {
      product *= length;
    }
    return product;
  }

  private static long aligned(long offset) {
    return Math.ceilDiv(offset, 32) * 32;
  }

  private static void pair(ByteBuffer out, String key, Object value) {
    string(out, key);
    switch (value) {
      case String text -> string(out.putInt(8), text);
      case Integer number -> out.putInt(4).putInt(number);
      case Float number -> out.putInt(6).putFloat(number);
      default -> throw new IllegalArgumentException(key);
    }
  }

  private static void string(ByteBuffer out, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    out.putLong(bytes.length).put(bytes);
  }
}
