package dev.semantic.model;

import java.util.List;

/**
 * The geometry of a model's KV cache, layer by layer.
 *
 * @param layers from the first layer to the last
 */
public record KvLayout(List<Layer> layers) {
  public KvLayout {
    layers = List.copyOf(layers);
    if (layers.isEmpty()) {
      throw new IllegalArgumentException("A KV layout needs at least one layer");
    }
  }

  /**
   * One layer's keys and values, each {@code [kvHeads, tokens, headDim]}.
   *
   * @param window tokens a sliding-window layer attends to; 0 where attention is full
   */
  public record Layer(int kvHeads, int headDim, int window) {
    public Layer {
      if (kvHeads < 1 || headDim < 1 || window < 0) {
        throw new IllegalArgumentException(
            "Not a layer: kvHeads=%d headDim=%d window=%d".formatted(kvHeads, headDim, window));
      }
    }

    /** Tokens this layer holds after {@code tokens} have been seen. */
    public int held(int tokens) {
      return window == 0 ? tokens : Math.min(tokens, window);
    }

    /** Bytes of the keys and values of one token. */
    public long bytesPerToken(KvPrecision precision) {
      return 2L * kvHeads * headDim * precision.bytes();
    }
  }

  /** A layout whose layers are all alike and attend to everything. */
  public static KvLayout uniform(int layers, int kvHeads, int headDim) {
    return new KvLayout(java.util.Collections.nCopies(layers, new Layer(kvHeads, headDim, 0)));
  }

  /** Bytes that one more token costs over all layers, as long as no window is full. */
  public long bytesPerToken(KvPrecision precision) {
    long bytes = 0;
    for (Layer layer : layers) {
      bytes += layer.bytesPerToken(precision);
    }
    return bytes;
  }

  /** Bytes of a cache that has seen {@code tokens}, full windows counted once. */
  public long bytes(int tokens, KvPrecision precision) {
    // no lambda: a call site that finds no memory when it is linked may stay broken
    long bytes = 0;
    for (Layer layer : layers) {
      bytes += layer.held(tokens) * layer.bytesPerToken(precision);
    }
    return bytes;
  }
}
