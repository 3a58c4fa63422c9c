package dev.semantic.mlx.kv;

import dev.semantic.mlx.array.DType;
import dev.semantic.mlx.array.Elementwise;
import dev.semantic.mlx.array.MlxArray;
import dev.semantic.mlx.array.Ops;
import dev.semantic.mlx.array.Scope;
import java.util.HashMap;
import java.util.Map;

/**
 * The masks of one forward pass. Layers of equal geometry see equal masks, so each is built once.
 */
public final class Masks {
  private record Band(int queries, int keys, int window) {}

  private final Scope scope;
  private final float softcap;
  private final Map<Band, MlxArray> bands = new HashMap<>();

  public Masks(Scope scope) {
    this(scope, 0);
  }

  /**
   * For a model that bends its scores.
   *
   * @param softcap what they are bent to stay within; 0 for not at all
   */
  public Masks(Scope scope, float softcap) {
    this.scope = scope;
    this.softcap = softcap;
  }

  /** What scores are bent to stay within; 0 for not at all. */
  public float softcap() {
    return softcap;
  }

  /**
   * Attends, with scores bent where the model has them so.
   *
   * @param q {@code [1, heads, queries, headDim]}
   */
  MlxArray attend(Scope s, MlxArray q, KvView all, float scale, Ops.Mask mask) {
    return softcap == 0
        ? Ops.attention(s, q, all.keys(), all.values(), scale, mask)
        : bent(s, q, all, scale, mask);
  }

  /** Spelt out: MLX's own operation knows of no such thing. */
  private MlxArray bent(Scope s, MlxArray q, KvView all, float scale, Ops.Mask mask) {
    int heads = q.dim(1);
    int queries = q.dim(2);
    int headDim = q.dim(3);
    int kvHeads = all.keys().dim(1);
    int tokens = all.keys().dim(2);
    int group = heads / kvHeads; // query heads that share a head of keys
    MlxArray scaled = Elementwise.multiply(s, q, s.scalar(scale, q.dtype()));
    MlxArray grouped = Ops.reshape(s, scaled, 1, kvHeads, group * queries, headDim);
    MlxArray scores = Ops.matmul(s, grouped, Ops.transpose(s, all.keys(), 0, 1, 3, 2));
    MlxArray bent = Elementwise.softcap(s, scores, softcap);
    MlxArray perQuery = Ops.reshape(s, bent, 1, kvHeads, group, queries, tokens);
    MlxArray allowed =
        mask instanceof Ops.Mask.Allowed given ? given.allowed() : triangle(queries, tokens);
    MlxArray masked =
        Elementwise.where(s, allowed, perQuery, s.scalar(Float.NEGATIVE_INFINITY, q.dtype()));
    MlxArray weights =
        Ops.softmax(s, Ops.reshape(s, masked, 1, kvHeads, group * queries, tokens), 3);
    return Ops.reshape(s, Ops.matmul(s, weights, all.values()), 1, heads, queries, headDim);
  }

  /**
   * The mask for queries that stand at the end of the keys.
   *
   * @param window tokens a query sees, itself included; 0 for all
   */
  public Ops.Mask causal(int queries, int keys, int window) {
    boolean reachesBeyond = window != 0 && keys > window;
    if (queries == 1 && !reachesBeyond) {
      return Ops.Mask.NONE;
    }
    if (!reachesBeyond) {
      return Ops.Mask.CAUSAL;
    }
    return Ops.Mask.of(bands.computeIfAbsent(new Band(queries, keys, window), this::band));
  }

  /** The causal mask without a window, boolean {@code [queries, keys]}. */
  MlxArray triangle(int queries, int keys) {
    return bands.computeIfAbsent(new Band(queries, keys, keys), this::band);
  }

  /**
   * Boolean {@code [queries, keys]}: a key not after the query and less than a window before it.
   */
  private MlxArray band(Band band) {
    Scope s = scope;
    int first = band.keys() - band.queries();
    MlxArray q = Ops.expandDims(s, Ops.arange(s, first, band.keys(), 1, DType.INT32), 1);
    MlxArray k = Ops.expandDims(s, Ops.arange(s, 0, band.keys(), 1, DType.INT32), 0);
    MlxArray distance = Elementwise.subtract(s, q, k);
    MlxArray notAfter = Elementwise.greaterEqual(s, distance, s.ints(0));
    MlxArray within = Elementwise.less(s, distance, s.ints(band.window()));
    return Elementwise.logicalAnd(s, notAfter, within);
  }
}
