package dev.semantic.mlx.layers;

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
   * @param type the number format that is computed with
   */
  record Dense(MlxArray table, Linear asHead, DType type) implements Embedding {
    @Override
    public MlxArray of(Scope s, MlxArray tokens) {
      return Ops.astype(s, Ops.take(s, table, tokens, 0), type);
    }
  }

  /**
   * Rows are expanded as they are looked up.
   *
   * @param type the number format that is computed with
   */
  record Affine(Linear.Affine table, Linear asHead, DType type) implements Embedding {
    @Override
    public MlxArray of(Scope s, MlxArray tokens) {
      MlxArray weights = Ops.take(s, table.weights(), tokens, 0);
      MlxArray scales = Ops.take(s, table.scales(), tokens, 0);
      MlxArray biases = Ops.take(s, table.biases(), tokens, 0);
      MlxArray rows = Ops.dequantize(s, weights, scales, biases, table.groupSize(), table.bits());
      return Ops.astype(s, rows, type);
    }
  }
}
