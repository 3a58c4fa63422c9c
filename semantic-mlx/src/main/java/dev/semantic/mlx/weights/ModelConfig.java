package dev.semantic.mlx.weights;

/**
 * The dimensions of a decoder-only transformer.
 *
 * @param architecture {@code llama} or {@code gemma3}
 * @param ropeBase of layers that attend to everything
 * @param ropeLocalBase of sliding-window layers; the same where there are none
 * @param slidingWindow tokens; 0 where there is none
 * @param slidingPattern every n-th layer attends to everything; 1 where all do
 * @param queryPreAttentionScalar queries are divided by its square root
 * @param tiedEmbeddings whether the head is the embedding
 */
public record ModelConfig(
    String architecture,
    int hiddenSize,
    int layers,
    int heads,
    int kvHeads,
    int headDim,
    int intermediateSize,
    int vocabularySize,
    int contextLength,
    float rmsNormEps,
    float ropeBase,
    float ropeLocalBase,
    RopeScaling ropeScaling,
    int slidingWindow,
    int slidingPattern,
    float queryPreAttentionScalar,
    boolean tiedEmbeddings) {}
