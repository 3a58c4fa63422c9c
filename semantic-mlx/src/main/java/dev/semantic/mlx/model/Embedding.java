package dev.semantic.mlx.model;

import dev.semantic.mlx.array.DType;
import dev.semantic.mlx.array.MlxArray;
import dev.semantic.mlx.array.Ops;
import dev.semantic.mlx.array.Scope;

/** The table of token vectors; with tied weights also the head. */
public sealed interface Embedding {
  /**
   * Looks tokens up.
   *
   * @param tokens {@code [batch, tokens]}
   * @return {@code [batch, tokens, hidden]}
   */
  MlxArray of(Scope s, MlxArray tokens);

  /** The same numbers as a head: from hidden vectors to logits. */
  Linear asHead();

  /**
   * Numbers as they are.
   *
   * @param table {@code [vocabulary, hidden]}
   */
  record Dense(MlxArray table, Linear asHead) implements Embedding {
    @Override
    public MlxArray of(Scope s, MlxArray tokens) {
      return Ops.take(s, table, tokens, 0);
    }
  }

  /**
   * Rows are expanded as they are looked up.
   *
   * @param type the number format that is computed with
   */
  record Affine(Linear.Affine asHead, DType type) implements Embedding {
    @Override
    public MlxArray of(Scope s, MlxArray tokens) {
      MlxArray weights = Ops.take(s, asHead.weights(), tokens, 0);
      MlxArray scales = Ops.take(s, asHead.scales(), tokens, 0);
      MlxArray biases = Ops.take(s, asHead.biases(), tokens, 0);
      MlxArray rows = Ops.dequantize(s, weights, scales, biases, asHead.groupSize(), asHead.bits());
      return Ops.astype(s, rows, type);
    }
  }
}
