package dev.semantic.mlx.model;

import dev.semantic.mlx.array.MlxArray;
import dev.semantic.mlx.weights.RopeScaling;

/**
 * A model's weights, as an architecture asks for them: by name, in the shape of the layer they
 * belong to. In which form they are held is not the architecture's business.
 */
public interface Weights {
  boolean has(String name);

  /** A vector, in the number format that is computed with. */
  MlxArray vector(String name);

  /**
   * Matrices that are applied to the same input, as one: the outputs lie one after the other.
   *
   * @param names matrices {@code [out, in]} of equal {@code in}
   */
  Linear linear(String... names);

  /** A table {@code [vocabulary, hidden]}. */
  Embedding embedding(String name);

  default RmsNorm norm(String name, float eps) {
    return new RmsNorm(vector(name), eps);
  }

  /**
   * The norms of queries and keys, as one weight for both, {@code [heads + kvHeads, 1, headDim]}.
   */
  MlxArray headNorms(String queryNorm, int heads, String keyNorm, int kvHeads);

  /** Rotary positions of {@code headDim} with the form of computation that suits the device. */
  Rope rope(int headDim, float base, RopeScaling scaling);
}
