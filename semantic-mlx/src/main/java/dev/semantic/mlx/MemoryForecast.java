package dev.semantic.mlx;

import dev.semantic.memory.ByteSize;
import dev.semantic.mlx.architecture.AttentionSpec;
import dev.semantic.mlx.architecture.ModelDescription;
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

  /**
   * How often results of each kind are in memory at once, those included that MLX allocates before
   * it computes them: for each token queries, keys and values, and the width of the feed-forward
   * part; scores. Fitted to seven models of 6 to 48 layers on a CPU (EXP-016).
   */
  private static final double PROJECTIONS = 3.8;

  private static final double FEED_FORWARD = 6.7;
  private static final double SCORES = 1.12;
  private static final int BATCH = 16;

  /**
   * The same of layers that our own kernels compute: of how many the results are in memory at once;
   * of how many what products are prepared with; and how often one layer's keys and values, which
   * are copied where a cache grows. Fitted to the two real models (EXP-018).
   */
  private static final double LAYERS = 2.83;

  private static final double PREPARED_LAYERS = 3.73;
  private static final double GROWING = 2.7;

  /** Vectors that a product prepares at a time, in so many bytes a number. */
  private static final int PREPARED = 256;

  private static final double PREPARED_BYTES = 6.4;

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

  /**
   * The larger of a chunk of a prompt, behind all others, and the logits of many agents.
   *
   * @param kernels whether our own CPU kernels compute what lies between the matrices
   */
  static ByteSize working(
      ModelDescription description, KvPrecision precision, int context, boolean kernels) {
    long within = Math.min(context, description.contextLength()); // no sequence goes beyond
    double chunk =
        kernels
            ? chunkByKernels(description, within)
            : precision.bytes() * chunk(description.layers().getFirst(), within);
    long logits = 2L * BATCH * description.vocabularySize() * Float.BYTES;
    return new ByteSize(Math.max(Math.round(chunk), logits));
  }

  private static double chunk(ModelDescription.Layer layer, long within) {
    AttentionSpec attention = layer.attention();
    long chunk = Math.min(CHUNK, within);
    long scores = attention.heads() * chunk * within;
    double ofTokens =
        PROJECTIONS * projected(attention) + FEED_FORWARD * layer.feedForward().width();
    return chunk * ofTokens + SCORES * scores;
  }

  /** In bytes; there are no scores. */
  private static double chunkByKernels(ModelDescription description, long within) {
    ModelDescription.Layer layer = description.layers().getFirst();
    AttentionSpec attention = layer.attention();
    long hidden = description.hiddenSize();
    long wide = layer.feedForward().width();
    long chunk = Math.min(CHUNK, within);
    long results = 2 * projected(attention) + 3 * wide + 6 * hidden;
    long prepared = 2 * hidden + (long) attention.heads() * attention.headDim() + wide;
    long cached = 2L * attention.kvHeads() * attention.headDim();
    return LAYERS * Float.BYTES * chunk * results
        + PREPARED_LAYERS * PREPARED_BYTES * Math.min(PREPARED, chunk) * prepared
        + GROWING * Float.BYTES * (within - chunk) * cached;
  }

  private static long projected(AttentionSpec attention) {
    return (attention.heads() + 2L * attention.kvHeads()) * attention.headDim();
  }
}
