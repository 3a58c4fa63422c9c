package dev.semantic.mlx.checkpoint;

import dev.semantic.mlx.architecture.ModelConfig;
import dev.semantic.mlx.architecture.ModelDescription;
import dev.semantic.mlx.array.DType;
import dev.semantic.mlx.quant.AffineRows;
import dev.semantic.mlx.quant.NumberFormat;
import dev.semantic.model.ModelException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * A model's files, opened and checked whole: every tensor that the architecture needs is there, in
 * its shape. Weights are read on request, by the row and on the calling thread. Tensors go by their
 * Hugging Face names. Any thread.
 */
public interface Checkpoint extends AutoCloseable {
  ModelConfig config();

  /** What the architecture makes of the configuration. */
  ModelDescription decoder();

  /** The file, or the directory; for messages. */
  Path path();

  /** The number format that it was made to be computed with; empty where that is nowhere said. */
  Optional<DType> numbers();

  /** Whether norm weights are what vectors are multiplied with, however they are trained. */
  boolean normsAreWhole();

  /** Bytes of weights on disk. */
  long fileBytes();

  /** Every tensor that the architecture needs, by its Hugging Face name. */
  Map<String, TensorInfo> tensors();

  /** How many numbers all tensors hold. */
  default long parameters() {
    return tensors().values().stream().mapToLong(TensorInfo::elements).sum();
  }

  /** The most frequent number format of its matrices: {@code Q4_1}. */
  default String quantization() {
    Map<String, Long> matrices =
        tensors().values().stream()
            .filter(tensor -> tensor.shape().length == 2)
            .collect(Collectors.groupingBy(t -> t.type().label(), Collectors.counting()));
    return matrices.entrySet().stream()
        .max(Map.Entry.comparingByValue())
        .map(Map.Entry::getKey)
        .orElse("none");
  }

  /**
   * A tensor's shape and format.
   *
   * @throws ModelException if there is none of that name
   */
  default TensorInfo info(String name) {
    TensorInfo tensor = tensors().get(name);
    if (tensor == null) {
      throw new ModelException(
          ModelException.Kind.DAMAGED, "%s has no tensor %s".formatted(path(), name));
    }
    return tensor;
  }

  /**
   * Expands rows of a tensor to float32.
   *
   * @param to gets {@code count} rows, from its beginning
   */
  default void expand(String name, int first, int count, float[] to) {
    expand(name, first, count, to, new Buffers());
  }

  /** The same with room that is there already. */
  void expand(String name, int first, int count, float[] to, Buffers buffers);

  /**
   * Copies rows of plain numbers as they are.
   *
   * @param to gets {@code count} rows, from its beginning
   */
  void copy(String name, int first, int count, MemorySegment to);

  /**
   * Rows of a matrix in MLX's own quantised form.
   *
   * @param name of a tensor whose type has {@linkplain NumberFormat#exactBits() such integers}
   * @param to gets {@code count} rows, from its beginning; as wide as the tensor's integers
   */
  void pack(String name, int first, int count, AffineRows to, Buffers buffers);

  /**
   * The same, into memory that is the caller's.
   *
   * @param weights gets the integers; as long as they are
   */
  default void pack(
      String name,
      int first,
      int count,
      MemorySegment weights,
      float[] scales,
      float[] biases,
      Buffers buffers) {
    TensorInfo tensor = info(name);
    AffineRows rows = buffers.rows(count, tensor.columns(), tensor.type());
    pack(name, first, count, rows, buffers);
    MemorySegment.copy(MemorySegment.ofArray(rows.weights()), 0, weights, 0, weights.byteSize());
    int groups = Math.multiplyExact(count, tensor.columns() / tensor.type().groupSize());
    System.arraycopy(rows.scales(), 0, scales, 0, groups);
    System.arraycopy(rows.biases(), 0, biases, 0, groups);
  }

  /**
   * Where rows of a tensor lie, with what belongs to them: the part with the most bytes first. What
   * lies there may not be the same rows where a file has them in another order, but it is those of
   * all if these are all.
   */
  List<FileRange> parts(String name, int first, int count);

  /** SHA-256 over everything that decides what the model computes. */
  byte[] fingerprint();

  /**
   * What a GGUF file says of itself: numbers, texts, and lists of them, by GGUF's names. Empty for
   * a directory.
   */
  Map<String, Object> metadata();

  /**
   * Makes sure that the files are still those that were checked.
   *
   * @throws ModelException if not
   */
  void verifyUnchanged();

  @Override
  void close();
}
