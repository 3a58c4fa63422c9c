package dev.semantic.mlx.weights;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A model's files, opened and checked whole: every tensor that the architecture needs is there, in
 * its shape. Weights are read on request. Tensors go by their Hugging Face names. Any thread.
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
   * Expands a tensor to float32 with all cores.
   *
   * @param target as many floats as the tensor has numbers, row-major
   */
  void readFloats(String name, MemorySegment target);

  /** A matrix in MLX's own quantised form; empty where that has no such integers. */
  Optional<AffineTensor> readAffine(String name);

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
