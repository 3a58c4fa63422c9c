package dev.semantic.mlx;

import dev.semantic.memory.ByteSize;
import dev.semantic.mlx.architecture.Decoder;
import dev.semantic.model.KvLayout;
import dev.semantic.model.KvPrecision;

/**
 * What a model will take of memory, known from its headers.
 *
 * @param weights in the form that they are computed with
 * @param caches the KV caches of all agents, as they are allocated
 * @param working what one chunk of a prompt takes besides, about
 */
public record MemoryForecast(ByteSize weights, ByteSize caches, ByteSize working) {
  /** Tokens of a prompt at a time. */
  private static final int CHUNK = 512;

  /** Caches grow by so many tokens. */
  private static final int STEP = 256;

  /** Operations that MLX begins before the last one has ended hold their results, too. */
  private static final int LAYERS_AHEAD = 2;

  private static final int SCORES_AHEAD = 3;
  private static final int BATCH = 16;

  /** All of it. */
  public ByteSize total() {
    return weights.plus(caches).plus(working);
  }

  static ByteSize caches(KvLayout layout, KvPrecision precision, int context, int agents) {
    long each = 0;
    for (KvLayout.Layer layer : layout.layers()) {
      long most = layer.window() == 0 ? context : Math.min(context, (long) layer.window() + CHUNK);
      each += Math.ceilDiv(most, STEP) * STEP * layer.bytesPerToken(precision);
    }
    return new ByteSize(Math.multiplyExact(each, agents));
  }

  static ByteSize working(Decoder decoder, KvPrecision precision, int context) {
    Decoder.Layer layer = decoder.layers().getFirst();
    long chunk = Math.min(CHUNK, context);
    long wide = 6L * decoder.hiddenSize() + 4L * layer.feedForward().width();
    long scores = layer.attention().heads() * chunk * context;
    long logits = 2L * BATCH * decoder.vocabularySize();
    return new ByteSize(
        precision.bytes() * (LAYERS_AHEAD * chunk * wide + SCORES_AHEAD * scores)
            + Float.BYTES * logits);
  }
}
