package dev.semantic.mlx.architecture;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a decoder-only transformer looks like: its layers, and which weights they need by which
 * name. Names are those of Hugging Face's files.
 *
 * @param prefix what stands before every tensor's name, {@code language_model.} for example
 * @param hiddenSize width of the residual stream
 * @param vocabularySize rows of the embedding, and length of a row of logits
 * @param contextLength the most tokens a sequence may hold
 * @param layers from the first to the last
 * @param norms of the residual stream
 * @param embeddingScale what embedded tokens are multiplied with
 * @param logitSoftcap logits are bent to stay within it; 0 for not at all
 * @param head where logits come from
 */
public record ModelDescription(
    String prefix,
    int hiddenSize,
    int vocabularySize,
    int contextLength,
    List<Layer> layers,
    Norms norms,
    EmbeddingScale embeddingScale,
    float logitSoftcap,
    Head head) {

  public ModelDescription {
    layers = List.copyOf(layers);
  }

  /** A decoder of plain norms and scales, its head a matrix of its own. */
  public static ModelDescription of(
      int hiddenSize, int vocabularySize, int contextLength, float normEps) {
    return new ModelDescription(
        "",
        hiddenSize,
        vocabularySize,
        contextLength,
        List.of(),
        new Norms(normEps, false),
        new EmbeddingScale(1, false),
        0,
        Head.OWN);
  }

  /** The same with these layers. */
  public ModelDescription withLayers(List<Layer> value) {
    return new ModelDescription(
        prefix,
        hiddenSize,
        vocabularySize,
        contextLength,
        value,
        norms,
        embeddingScale,
        logitSoftcap,
        head);
  }

  /** The same with tensors whose names begin so. */
  public ModelDescription withPrefix(String value) {
    return new ModelDescription(
        value,
        hiddenSize,
        vocabularySize,
        contextLength,
        layers,
        norms,
        embeddingScale,
        logitSoftcap,
        head);
  }

  /** The same with norm weights that are stored as what they differ from one by. */
  public ModelDescription withNormsAroundOne() {
    return new ModelDescription(
        prefix,
        hiddenSize,
        vocabularySize,
        contextLength,
        layers,
        new Norms(norms.eps(), true),
        embeddingScale,
        logitSoftcap,
        head);
  }

  /** The same with embedded tokens that are multiplied with a number. */
  public ModelDescription withEmbeddingScale(EmbeddingScale value) {
    return new ModelDescription(
        prefix,
        hiddenSize,
        vocabularySize,
        contextLength,
        layers,
        norms,
        value,
        logitSoftcap,
        head);
  }

  /** The same with logits that are bent to stay within a number. */
  public ModelDescription withLogitSoftcap(float value) {
    return new ModelDescription(
        prefix,
        hiddenSize,
        vocabularySize,
        contextLength,
        layers,
        norms,
        embeddingScale,
        value,
        head);
  }

  /** The same with its head from somewhere else. */
  public ModelDescription withHead(Head value) {
    return new ModelDescription(
        prefix,
        hiddenSize,
        vocabularySize,
        contextLength,
        layers,
        norms,
        embeddingScale,
        logitSoftcap,
        value);
  }

  /**
   * Root mean square norms (Zhang, Sennrich 2019).
   *
   * @param aroundOne whether weights are stored as what they differ from one by
   */
  public record Norms(float eps, boolean aroundOne) {}

  /**
   * What embedded tokens are multiplied with.
   *
   * @param rounded whether it is a bfloat16, whatever is computed with: so it was in training
   */
  public record EmbeddingScale(float value, boolean rounded) {}

  /** Where logits come from. */
  public enum Head {
    /** {@code lm_head}. */
    OWN,
    /** The embedding; {@code lm_head} is left alone where a file has it all the same. */
    EMBEDDING,
    /** {@code lm_head} where the file has it, else the embedding. */
    AS_THE_FILE_HAS_IT
  }

  /**
   * A transformer block.
   *
   * @param sandwich whether what attention and feed-forward give is normed before it is added, too
   */
  public record Layer(AttentionSpec attention, FeedForwardSpec feedForward, boolean sandwich) {
    /** A block with a norm before each half. */
    public static Layer of(AttentionSpec attention, FeedForwardSpec feedForward) {
      return new Layer(attention, feedForward, false);
    }

    /** The same with a norm behind each half, too. */
    public Layer withSandwichNorms() {
      return new Layer(attention, feedForward, true);
    }
  }

  /**
   * The longest sequence whose positions turn as those of short ones do. What is longer turns
   * otherwise from its first token on, so that nothing which was computed before holds any more.
   *
   * @return {@link Integer#MAX_VALUE} where all sequences turn alike
   */
  public int nearContext() {
    return layers.stream()
        .map(layer -> layer.attention().rotary().scaling())
        .filter(RopeScaling.LongRope.class::isInstance)
        .mapToInt(scaling -> ((RopeScaling.LongRope) scaling).originalContext())
        .min()
        .orElse(Integer.MAX_VALUE);
  }

  /**
   * Every tensor that a model of this description needs, with its shape.
   *
   * @param ownHead whether the file has {@code lm_head}
   */
  public Map<String, int[]> tensors(boolean ownHead) {
    Map<String, int[]> all = new LinkedHashMap<>();
    all.put(prefix + "model.embed_tokens.weight", new int[] {vocabularySize, hiddenSize});
    for (int i = 0; i < layers.size(); i++) {
      Tensors.of(layers.get(i), hiddenSize, prefix + "model.layers." + i + ".", all);
    }
    all.put(prefix + "model.norm.weight", new int[] {hiddenSize});
    if (hasOwnHead(ownHead)) {
      all.put(prefix + "lm_head.weight", new int[] {vocabularySize, hiddenSize});
    }
    return all;
  }

  /**
   * Whether logits come from {@code lm_head}.
   *
   * @param inFile whether the file has it
   */
  public boolean hasOwnHead(boolean inFile) {
    return head == Head.OWN || (head == Head.AS_THE_FILE_HAS_IT && inFile);
  }
}
