package dev.semantic.kv;

import dev.semantic.model.KvLayout;
import dev.semantic.model.KvPrecision;
import dev.semantic.model.ModelTag;
import java.util.List;

/**
 * A {@link KvSnapshot} without its numbers: what they will be, before they are read.
 *
 * @param tag the model whose weights computed it
 * @param layout geometry of the layers
 * @param precision number format of the layers, little-endian
 * @param tokens the tokens it was computed from, in order; not to be changed
 * @param starts the first token that each layer holds; it holds all from there on
 * @param seams as in {@link KvSnapshot}
 * @param imported as in {@link KvSnapshot}
 */
public record KvSnapshotHeader(
    ModelTag tag,
    KvLayout layout,
    KvPrecision precision,
    int[] tokens,
    List<Integer> starts,
    List<Integer> seams,
    boolean imported) {

  public KvSnapshotHeader {
    starts = List.copyOf(starts);
    seams = List.copyOf(seams);
    checkSeams(seams, tokens.length);
    if (starts.size() != layout.layers().size()) {
      throw new IllegalArgumentException(
          "%d layers begin somewhere, of %d".formatted(starts.size(), layout.layers().size()));
    }
    for (int i = 0; i < starts.size(); i++) {
      KvLayout.Layer layer = layout.layers().get(i);
      int start = starts.get(i);
      int most = layer.window() == 0 ? 0 : tokens.length - layer.held(tokens.length);
      if (start < 0 || start > most) {
        throw new IllegalArgumentException(
            "Layer %d of %d tokens begins at token %d; it must hold those from %d on"
                .formatted(i, tokens.length, start, most));
      }
    }
  }

  static void checkSeams(List<Integer> seams, int tokens) {
    int before = 0;
    for (int seam : seams) {
      if (seam <= before || seam > tokens) {
        throw new IllegalArgumentException(
            "Seams %s do not part %d tokens in ascending order".formatted(seams, tokens));
      }
      before = seam;
    }
  }

  public static KvSnapshotHeader of(KvSnapshot snapshot) {
    return new KvSnapshotHeader(
        snapshot.tag(),
        snapshot.layout(),
        snapshot.precision(),
        snapshot.tokens(),
        snapshot.layers().stream().map(KvSnapshot.LayerKv::start).toList(),
        snapshot.seams(),
        snapshot.imported());
  }

  /** How many tokens a layer holds. */
  public int length(int layer) {
    return tokens.length - starts.get(layer);
  }

  /** Bytes of one token in one head of a layer's keys, or of its values. */
  public int row(int layer) {
    return layout.layers().get(layer).headDim() * precision.bytes();
  }
}
