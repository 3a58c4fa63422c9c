package dev.semantic.mlx.kv;

import dev.semantic.mlx.array.MlxArray;

/**
 * Keys and values of tokens that lie one behind the other, each {@code [1, kvHeads, tokens,
 * headDim]}.
 */
public record KvView(MlxArray keys, MlxArray values) {
  int tokens() {
    return keys.dim(2);
  }
}
