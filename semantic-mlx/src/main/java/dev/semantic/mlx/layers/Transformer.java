package dev.semantic.mlx.layers;

import dev.semantic.mlx.architecture.ModelDescription;
import dev.semantic.mlx.architecture.RotarySpec;
import dev.semantic.mlx.array.Elementwise;
import dev.semantic.mlx.array.MlxArray;
import dev.semantic.mlx.array.Scope;
import dev.semantic.mlx.kv.KvCache;
import dev.semantic.mlx.kv.Masks;
import dev.semantic.model.KvLayout;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A decoder-only model: from tokens to logits, with its past in KV caches.
 *
 * <p>One forward pass, as the papers have it: embed the tokens ({@link #hidden}), run them through
 * every block, {@code h = h + attention(norm(h))}, {@code h = h + feedForward(norm(h))} ({@link
 * Block}), norm once more and project to the vocabulary ({@link #logits}). Vaswani et al. 2017 for
 * the whole, with the norm in front of each half (Xiong et al. 2020) and RMS norms (Zhang and
 * Sennrich 2019).
 */
public final class Transformer {
  private final ModelDescription description;
  private final Embedding embedding;
  private final List<Block> blocks = new ArrayList<>();
  private final List<Rope> nearRopes; // of sequences within the decoder's near context
  private final List<Rope> farRopes;
  private final RmsNorm norm;
  private final Linear head;

  /** Takes the weights that the description names and puts the layers together. */
  public Transformer(ModelDescription description, Weights weights) {
    this.description = description;
    String at = description.prefix();
    float eps = description.norms().eps();
    Map<RotarySpec, Integer> known = new LinkedHashMap<>();
    embedding = weights.embedding(at + "model.embed_tokens");
    for (int i = 0; i < description.layers().size(); i++) {
      ModelDescription.Layer layer = description.layers().get(i);
      int rope = known.computeIfAbsent(layer.attention().rotary(), each -> known.size());
      blocks.add(Block.of(layer, weights, at + "model.layers." + i + ".", eps, rope));
    }
    nearRopes = known.keySet().stream().map(rotary -> weights.rope(rotary.near())).toList();
    farRopes =
        description.nearContext() == Integer.MAX_VALUE
            ? nearRopes
            : known.keySet().stream().map(rotary -> weights.rope(rotary.far())).toList();
    norm = weights.norm(at + "model.norm", eps);
    head =
        description.hasOwnHead(weights.has(at + "lm_head"))
            ? weights.linear(false, at + "lm_head")
            : embedding.asHead();
  }

  /** As {@link ModelDescription#nearContext}. */
  public int nearContext() {
    return description.nearContext();
  }

  /** The geometry of the caches; known before any weight is read. */
  public static KvLayout kvLayout(ModelDescription description) {
    return new KvLayout(
        description.layers().stream()
            .map(ModelDescription.Layer::attention)
            .map(each -> new KvLayout.Layer(each.kvHeads(), each.headDim(), each.window()))
            .toList());
  }

  /**
   * Runs new tokens through all layers and appends to the caches.
   *
   * @param tokens {@code [batch, tokens]}; several tokens only with a batch of one
   * @param caches for every sequence of the batch its caches, one per layer
   * @param far whether these are sequences beyond the decoder's near context
   * @return hidden vectors {@code [batch, tokens, hidden]}, not yet normalised
   */
  public MlxArray hidden(Scope s, MlxArray tokens, List<List<KvCache>> caches, boolean far) {
    // x = E[tokens]; Gemma scales it by the square root of its width
    MlxArray embedded = scaled(s, embedding.of(s, tokens));
    // the rotations of these positions (RoPE, Su et al. 2021): once for all blocks that share them
    int[] offsets = Caches.offsets(caches);
    List<Rope.Rotation> rotations =
        (far ? farRopes : nearRopes)
            .stream().map(rope -> rope.at(s, offsets, tokens.dim(1), embedded.dtype())).toList();
    Masks masks = new Masks(s, description.layers().getFirst().attention().softcap());
    // the residual stream through all blocks, each of which appends to its layer's caches
    MlxArray h = embedded;
    for (int i = 0; i < blocks.size(); i++) {
      Block block = blocks.get(i);
      h = block.of(s, h, rotations.get(block.rope()), Caches.ofLayer(caches, i), masks);
    }
    return h;
  }

  private MlxArray scaled(Scope s, MlxArray embedded) {
    ModelDescription.EmbeddingScale scale = description.embeddingScale();
    if (scale.value() == 1) {
      return embedded;
    }
    float factor = scale.rounded() ? roundedToBfloat16(scale.value()) : scale.value();
    return Elementwise.multiply(s, embedded, s.scalar(factor, embedded.dtype()));
  }

  /** The scale was a bfloat16 when the model was trained, and the rounding belongs to it. */
  private static float roundedToBfloat16(float value) {
    int bits = Float.floatToRawIntBits(value);
    int rounding = 0x7fff + ((bits >>> 16) & 1);
    return Float.intBitsToFloat((bits + rounding) & 0xffff0000);
  }

  /**
   * Logits of hidden vectors.
   *
   * @param hidden {@code [batch, tokens, hidden]}
   * @return {@code [batch, tokens, vocabulary]}
   */
  public MlxArray logits(Scope s, MlxArray hidden) {
    // logits = W norm(h); W may be the embedding again (Press and Wolf 2017)
    MlxArray logits = head.of(s, norm.of(s, hidden));
    // Gemma 2: tanh keeps them within a cap
    float cap = description.logitSoftcap();
    return cap == 0 ? logits : Elementwise.softcap(s, logits, cap);
  }
}
