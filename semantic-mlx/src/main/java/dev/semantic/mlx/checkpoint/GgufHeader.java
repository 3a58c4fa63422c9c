package dev.semantic.mlx.checkpoint;

import dev.semantic.mlx.quant.TensorType;
import dev.semantic.model.ModelException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What stands at the front of a GGUF file, version 2 or 3 (format: ggml's docs/gguf.md).
 *
 * @param metadata by key
 * @param tensors by their names in the file; each lies within it
 */
record GgufHeader(Map<String, Object> metadata, Map<String, TensorInfo> tensors) {
  private static final int MAGIC = 0x46554747; // "GGUF"
  private static final int APPLE_DOUBLE = 0x07160500;
  private static final int SMALLEST_PAIR = 8 + 4 + 1;
  private static final int SMALLEST_TENSOR = 8 + 4 + 8 + 4 + 8;
  private static final long MOST_ELEMENTS = 1L << 40;

  static GgufHeader read(Path file, MemorySegment memory) {
    GgufCursor cursor = new GgufCursor(file, memory);
    int magic = cursor.int32("the magic number");
    if (magic == APPLE_DOUBLE) {
      throw new ModelException(
          ModelException.Kind.INVALID,
          "%s is what macOS keeps beside a file of that name without '._'; name that one"
              .formatted(file));
    }
    if (magic != MAGIC) {
      throw new ModelException(
          ModelException.Kind.DAMAGED,
          "%s is not a GGUF file: it begins with %08x, not with 'GGUF'"
              .formatted(file, Integer.reverseBytes(magic)));
    }
    int version = cursor.int32("the version");
    if (version != 2 && version != 3) {
      throw new ModelException(
          ModelException.Kind.UNSUPPORTED,
          "%s is GGUF version %d (big-endian?); versions 2 and 3 can be read"
              .formatted(file, version));
    }
    int tensorCount = cursor.count("the number of tensors", SMALLEST_TENSOR);
    int pairs = cursor.count("the number of metadata pairs", SMALLEST_PAIR);
    Map<String, Object> metadata = new LinkedHashMap<>();
    for (int i = 0; i < pairs; i++) {
      String key = cursor.string("the name of metadata pair " + i);
      if (metadata.put(key, cursor.value(key)) != null) {
        throw cursor.broken("a second " + key);
      }
    }
    Map<String, TensorInfo> tensors = new LinkedHashMap<>();
    for (int i = 0; i < tensorCount; i++) {
      TensorInfo tensor = tensor(file, cursor, i);
      if (tensors.put(tensor.name(), tensor) != null) {
        throw cursor.broken("a second tensor " + tensor.name());
      }
    }
    long alignment = alignment(cursor, metadata);
    long base = aligned(cursor, alignment);
    tensors.replaceAll((name, tensor) -> placed(file, tensor, base, alignment, memory.byteSize()));
    refuseOverlaps(file, tensors);
    return new GgufHeader(
        Collections.unmodifiableMap(metadata), Collections.unmodifiableMap(tensors));
  }

  private static TensorInfo tensor(Path file, GgufCursor cursor, int index) {
    String name = cursor.string("the name of tensor " + index);
    int rank = cursor.int32("the rank of " + name);
    if (rank < 1 || rank > 4) {
      throw cursor.broken("tensor %s of %d dimensions".formatted(name, rank));
    }
    int[] shape = new int[rank];
    long elements = 1;
    for (int i = 0; i < rank; i++) {
      long length = cursor.int64("a dimension of " + name);
      if (length < 1 || length > Integer.MAX_VALUE || elements > MOST_ELEMENTS / length) {
        throw cursor.broken("tensor %s with a dimension of %d".formatted(name, length));
      }
      elements *= length;
      shape[rank - 1 - i] = (int) length; // innermost first in the file
    }
    int code = cursor.int32("the type of " + name);
    TensorType type =
        TensorType.ofCode(code)
            .orElseThrow(
                () ->
                    new ModelException(
                        ModelException.Kind.UNSUPPORTED,
                        "%s: tensor %s has type %d, which cannot be read; known are %s"
                            .formatted(file, name, code, Arrays.toString(TensorType.values()))));
    if (shape[rank - 1] % type.blockSize() != 0) {
      throw cursor.broken(
          "tensor %s has rows of %d numbers, not whole %s blocks of %d"
              .formatted(name, shape[rank - 1], type, type.blockSize()));
    }
    return new TensorInfo(name, flat(shape), type, cursor.int64("the offset of " + name));
  }

  /** Axes of length one in front say nothing; the rest becomes rows. */
  private static int[] flat(int[] shape) {
    int first = 0;
    while (first < shape.length - 1 && shape[first] == 1) {
      first++;
    }
    int[] kept = Arrays.copyOfRange(shape, first, shape.length);
    if (kept.length <= 2) {
      return kept;
    }
    long rows = 1;
    for (int i = 0; i < kept.length - 1; i++) {
      rows *= kept[i];
    }
    if (rows > Integer.MAX_VALUE) {
      throw new ModelException(
          ModelException.Kind.UNSUPPORTED, "A tensor of %d rows cannot be read".formatted(rows));
    }
    return new int[] {(int) rows, kept[kept.length - 1]};
  }

  private static long alignment(GgufCursor cursor, Map<String, Object> metadata) {
    Object value = metadata.getOrDefault("general.alignment", 32L);
    if (value instanceof Long alignment
        && alignment >= 1
        && alignment <= 1 << 20
        && Long.bitCount(alignment) == 1) {
      return alignment;
    }
    throw cursor.broken("general.alignment is " + value);
  }

  private static long aligned(GgufCursor cursor, long alignment) {
    return Math.ceilDiv(cursor.position(), alignment) * alignment;
  }

  private static TensorInfo placed(
      Path file, TensorInfo tensor, long base, long alignment, long fileBytes) {
    long room = fileBytes - base;
    if (tensor.offset() % alignment != 0) {
      throw new ModelException(
          ModelException.Kind.DAMAGED,
          "%s is damaged: tensor %s lies at %d, not at a multiple of %d. Fetch it again."
              .formatted(file, tensor.name(), tensor.offset(), alignment));
    }
    if (tensor.offset() < 0 || tensor.offset() > room || tensor.bytes() > room - tensor.offset()) {
      throw new ModelException(
          ModelException.Kind.DAMAGED,
          "%s is cut short: tensor %s should lie at %s + %d with %d bytes, but the file ends at %d. Fetch it again."
              .formatted(file, tensor.name(), base, tensor.offset(), tensor.bytes(), fileBytes));
    }
    return new TensorInfo(tensor.name(), tensor.shape(), tensor.type(), base + tensor.offset());
  }

  private static void refuseOverlaps(Path file, Map<String, TensorInfo> tensors) {
    List<TensorInfo> inOrder =
        tensors.values().stream().sorted(Comparator.comparingLong(TensorInfo::offset)).toList();
    for (int i = 1; i < inOrder.size(); i++) {
      TensorInfo before = inOrder.get(i - 1);
      if (before.offset() + before.bytes() > inOrder.get(i).offset()) {
        throw new ModelException(
            ModelException.Kind.DAMAGED,
            "%s is damaged: tensors %s and %s lie in each other. Fetch it again."
                .formatted(file, before.name(), inOrder.get(i).name()));
      }
    }
  }
}
