package dev.semantic.mlx.weights;

import java.nio.file.Path;
import java.util.Map;
import java.util.Set;

/**
 * A model's files, opened and checked whole: every tensor that the architecture needs is there, in
 * its shape. Weights are read on request, by the row and on the calling thread. Tensors go by their
 * Hugging Face names. Any thread.
 */
public interface Checkpoint extends AutoCloseable {
  ModelConfig config();

  /** The file, for messages. */
  Path path();

  /** Bytes on disk. */
  long fileBytes();

  /** How many numbers all tensors hold. */
  long parameters();

  /** The most frequent number format of its matrices: {@code Q4_1}. */
  String quantization();

  Set<String> tensorNames();

  /**
   * A tensor's shape and format.
   *
   * @throws dev.semantic.model.ModelException if there is none of that name
   */
  TensorInfo info(String name);

  /**
   * Expands rows of a tensor to float32.
   *
   * @param to gets {@code count} rows, from its beginning
   */
  void expand(String name, int first, int count, float[] to);

  /**
   * Rows of a matrix in MLX's own quantised form.
   *
   * @param name of a tensor whose type has {@linkplain TensorType#affineBits() such integers}
   * @param to gets {@code count} rows, from its beginning
   */
  void pack(String name, int first, int count, AffineRows to);

  /** Waits until a part of the file is in the system's page cache. */
  void readAhead(long from, long bytes);

  /** SHA-256 over everything that decides what the model computes. */
  byte[] fingerprint();

  /** What the file says of itself: numbers, texts, and lists of them, by GGUF's names. */
  Map<String, Object> metadata();

  /**
   * Makes sure that the files are still those that were checked.
   *
   * @throws dev.semantic.model.ModelException if not
   */
  void verifyUnchanged();

  @Override
  void close();
}
