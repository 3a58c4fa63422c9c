package dev.semantic.mlx.convert;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.semantic.mlx.array.DType;
import dev.semantic.mlx.convert.TensorPlan.Part;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * One safetensors file that is still to be written: where each part lies is known beforehand, so
 * parts can be written in any order.
 *
 * @param header with the eight bytes of its length in front
 * @param offsets of each part's first byte in the file, by name
 */
@SuppressWarnings("ArrayRecordComponent")
record ShardLayout(
    String fileName, List<TensorPlan> tensors, byte[] header, Map<String, Long> offsets) {
  private static final ObjectMapper JSON = new ObjectMapper();

  /**
   * Fills files in the order of the tensors; a tensor's parts stay together.
   *
   * @param most bytes of weights in a file; a larger tensor has one for itself
   */
  static List<ShardLayout> of(List<TensorPlan> tensors, long most) {
    List<List<TensorPlan>> files = new ArrayList<>();
    long room = 0;
    for (TensorPlan tensor : tensors) {
      if (files.isEmpty() || tensor.bytes() > room) {
        files.add(new ArrayList<>());
        room = most;
      }
      files.getLast().add(tensor);
      room -= tensor.bytes();
    }
    List<ShardLayout> shards = new ArrayList<>();
    for (int i = 0; i < files.size(); i++) {
      String name =
          files.size() == 1
              ? "model.safetensors"
              : "model-%05d-of-%05d.safetensors".formatted(i + 1, files.size());
      shards.add(of(name, files.get(i)));
    }
    return shards;
  }

  private static ShardLayout of(String fileName, List<TensorPlan> tensors) {
    List<Part> parts = new ArrayList<>();
    tensors.forEach(tensor -> parts.addAll(tensor.parts()));
    // Wide numbers first, so that every number lies at a multiple of its width.
    parts.sort((a, b) -> Integer.compare(b.dtype().bytes(), a.dtype().bytes()));
    Map<String, Object> entries = new LinkedHashMap<>();
    entries.put("__metadata__", Map.of("format", "mlx"));
    Map<String, Long> offsets = new LinkedHashMap<>();
    long at = 0;
    for (Part part : parts) {
      Map<String, Object> entry = new LinkedHashMap<>();
      entry.put("dtype", name(part.dtype()));
      entry.put("shape", part.shape());
      entry.put("data_offsets", List.of(at, at + part.bytes()));
      entries.put(part.name(), entry);
      offsets.put(part.name(), at);
      at += part.bytes();
    }
    byte[] header = header(entries);
    offsets.replaceAll((_, offset) -> offset + header.length);
    return new ShardLayout(fileName, List.copyOf(tensors), header, Map.copyOf(offsets));
  }

  /** Spaces at its end align the numbers behind it. */
  private static byte[] header(Map<String, Object> entries) {
    byte[] text;
    try {
      text = JSON.writeValueAsString(entries).getBytes(StandardCharsets.UTF_8);
    } catch (JsonProcessingException e) {
      throw new AssertionError("names and numbers are JSON", e);
    }
    byte[] padded = new byte[Math.ceilDiv(text.length, Long.BYTES) * Long.BYTES];
    Arrays.fill(padded, (byte) ' ');
    System.arraycopy(text, 0, padded, 0, text.length);
    return ByteBuffer.allocate(Long.BYTES + padded.length)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(padded.length)
        .put(padded)
        .array();
  }

  private static String name(DType dtype) {
    return switch (dtype) {
      case FLOAT32 -> "F32";
      case FLOAT16 -> "F16";
      case BFLOAT16 -> "BF16";
      case UINT32 -> "U32";
      default -> throw new IllegalArgumentException("No weights are written as " + dtype);
    };
  }

  /** What {@code model.safetensors.index.json} says. */
  static Map<String, Object> index(List<ShardLayout> shards) {
    Map<String, String> where = new TreeMap<>();
    long bytes = 0;
    for (ShardLayout shard : shards) {
      shard.offsets().keySet().forEach(part -> where.put(part, shard.fileName()));
      bytes += shard.tensors().stream().mapToLong(TensorPlan::bytes).sum();
    }
    Map<String, Object> index = new LinkedHashMap<>();
    index.put("metadata", Map.of("total_size", bytes));
    index.put("weight_map", where);
    return index;
  }
}
