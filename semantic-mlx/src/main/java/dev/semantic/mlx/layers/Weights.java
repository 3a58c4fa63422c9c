package dev.semantic.mlx.layers;

import dev.semantic.mlx.architecture.RotarySpec;
import dev.semantic.mlx.array.MlxArray;

/**
 * A model's weights, as its layers ask for them: by name, in the shape of the layer they belong to.
 * In which form they are held is not the layers' business.
 */
public interface Weights {
  /** Whether there is a weight of that name. */
  boolean has(String module);

  /**
   * Matrices that are applied to the same input, as one: the outputs lie one after the other.
   *
   * @param bias whether each has one
   * @param modules of matrices {@code [out, in]} of equal {@code in}
   */
  Linear linear(boolean bias, String... modules);

  /** A table {@code [vocabulary, hidden]}. */
  Embedding embedding(String module);

  /** A norm, in the number format that is computed with. */
  RmsNorm norm(String module, float eps);

  /**
   * The norms of queries and keys, as one weight for both, {@code [heads + kvHeads, 1, headDim]}.
   */
  MlxArray headNorms(String queryNorm, int heads, String keyNorm, int kvHeads);

  /** Whether layers compute with our own CPU kernels what lies between their matrices. */
  boolean kernels();

  /** Rotary positions, with the form of computation that suits the device. */
  Rope rope(RotarySpec rotary);
}
