package dev.semantic.mlx.model;

import dev.semantic.mlx.array.MlxArray;
import dev.semantic.mlx.array.Scope;
import dev.semantic.mlx.kv.KvCache;
import dev.semantic.model.KvLayout;
import java.util.List;

/** A decoder-only model: from tokens to logits, with its past in KV caches. */
public interface Transformer {
  /**
   * Runs new tokens through all layers and appends to the caches.
   *
   * @param tokens {@code [batch, tokens]}; several tokens only with a batch of one
   * @param caches for every sequence of the batch its caches, one per layer
   * @return hidden vectors {@code [batch, tokens, hidden]}, not yet normalised
   */
  MlxArray hidden(Scope s, MlxArray tokens, List<List<KvCache>> caches);

  /**
   * Logits of hidden vectors.
   *
   * @param hidden {@code [batch, tokens, hidden]}
   * @return {@code [batch, tokens, vocabulary]}
   */
  MlxArray logits(Scope s, MlxArray hidden);

  /** The geometry of its caches. */
  KvLayout kvLayout();
}
