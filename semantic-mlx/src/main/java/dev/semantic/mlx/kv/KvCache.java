package dev.semantic.mlx.kv;

import dev.semantic.kv.KvSnapshot.LayerKv;
import dev.semantic.kv.KvTarget.KvBuffers;
import dev.semantic.mlx.array.DType;
import dev.semantic.mlx.array.MlxArray;
import dev.semantic.mlx.array.Scope;
import dev.semantic.model.KvLayout;
import java.util.List;

/**
 * The keys and values of one layer of one sequence. Keeps its arrays in the scope it was made with
 * and is used on the owner thread only.
 */
public interface KvCache {
  /** Tokens that a token sees, itself included; 0 for all. */
  int window();

  /** Tokens seen so far; also the position of the next one. */
  int offset();

  /**
   * Appends new keys and values and attends to all that may be seen, each query to itself and what
   * lies before it.
   *
   * @param q {@code [1, heads, tokens, headDim]}, rotated
   * @param k {@code [1, kvHeads, tokens, headDim]}, rotated
   * @param v {@code [1, kvHeads, tokens, headDim]}
   * @return {@code [1, heads, tokens, headDim]}
   */
  MlxArray attend(Scope s, MlxArray q, MlxArray k, MlxArray v, float scale, Masks masks);

  /**
   * Appends new keys and values.
   *
   * @return what the last of them may see, piece by piece, in the order of the tokens
   */
  List<KvView> append(Scope s, MlxArray k, MlxArray v);

  /** Whether {@link #trim} to {@code length} would be exact. */
  boolean canTrim(int length);

  /** Forgets the tokens from {@code length} on; only where {@link #canTrim} says so. */
  void trim(int length);

  /** Forgets everything: it is as new. */
  void clear();

  /** Bytes allocated. */
  long bytes();

  /** Arrays to evaluate when nothing else depends on them. */
  MlxArray[] arrays();

  /** Copies out what the next token needs, in the order of the tokens. */
  LayerKv snapshot(Scope s);

  /**
   * Takes over what a snapshot holds; only into an empty cache.
   *
   * @param seams where full layers are parted
   */
  void restore(Scope s, LayerKv saved, List<Integer> seams);

  /**
   * Memory for the tokens {@code start} to {@code end}, which become this cache's once {@link
   * #commit} is called; only in an empty cache. What is asked for is in {@link #arrays}, and has no
   * numbers before it is evaluated.
   */
  void vacate(int start, int end);

  /** Where {@link #vacate}'s numbers go, once its arrays are evaluated. */
  KvBuffers buffers();

  /** The numbers are there: this cache holds them now. */
  void commit();

  /** Where it is parted, so that others can hold the parts, too. */
  default List<Integer> segmentEnds() {
    return List.of();
  }

  /** Whether {@link #fork} would be exact. */
  default boolean canFork(int length) {
    return canTrim(length);
  }

  /**
   * A cache of its own that begins with the first {@code length} tokens of this one; only where
   * {@link #canFork} says so. Layers that attend to everything hold them together from now on, a
   * sliding window is copied.
   *
   * @param other where the new cache keeps its arrays
   */
  KvCache fork(Scope s, Scope other, int length);

  /** The cache that fits a layer: full, or one that forgets what has left the window. */
  static KvCache of(Scope owner, KvLayout.Layer layer, DType dtype) {
    return layer.window() == 0
        ? new SharedPrefixKvCache(owner, layer, dtype)
        : new ContiguousKvCache(owner, layer, dtype);
  }
}
