package dev.semantic.mlx.layers;

import dev.semantic.mlx.array.MlxArray;
import dev.semantic.mlx.array.Ops;
import dev.semantic.mlx.array.Scope;

/** Words that the layers are written in. */
final class Layers {
  private Layers() {}

  /** The part of {@code x} whose index along {@code axis} is from..to. */
  static MlxArray slice(Scope s, MlxArray x, int axis, int from, int to) {
    int[] start = new int[x.rank()];
    int[] stop = x.shape();
    start[axis] = from;
    stop[axis] = to;
    return Ops.slice(s, x, start, stop);
  }

  /** Member {@code index} of a batch, as a batch of one. */
  static MlxArray member(Scope s, MlxArray x, int index) {
    return slice(s, x, 0, index, index + 1);
  }
}
