package dev.semantic.mlx.layers;

import dev.semantic.mlx.kv.KvCache;
import java.util.List;

/** The caches of a batch, seen by sequence or by layer. */
final class Caches {
  private Caches() {}

  /** For every sequence the position of its next token. */
  static int[] offsets(List<List<KvCache>> caches) {
    return caches.stream().mapToInt(layers -> layers.getFirst().offset()).toArray();
  }

  /** For every sequence its cache of one layer. */
  static List<KvCache> ofLayer(List<List<KvCache>> caches, int layer) {
    return caches.stream().map(layers -> layers.get(layer)).toList();
  }
}
