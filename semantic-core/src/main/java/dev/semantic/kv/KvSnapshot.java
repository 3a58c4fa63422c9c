package dev.semantic.kv;

import dev.semantic.model.KvLayout;
import dev.semantic.model.KvPrecision;
import dev.semantic.model.ModelTag;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;

/**
 * A sequence's KV cache outside the runtime: stamped, when it is produced, with the model that made
 * it.
 *
 * @param tag the model whose weights computed it
 * @param layout geometry of {@code layers}
 * @param precision number format of {@code layers}, little-endian
 * @param tokens the tokens it was computed from, in order; not to be changed
 * @param layers one per layer of {@code layout}
 * @param seams where the sequence was put together of parts that it shares with others, as
 *     positions in {@code tokens}, ascending, not 0. Attention sums part by part, so a sequence
 *     goes on bit for bit only if it is parted in the same places again.
 * @param imported whether it came from outside, or goes on from what did: nobody here knows whether
 *     its keys and values are those of its tokens. Or whether a part of it is not what a shorter
 *     sequence has. It serves its own agent, and nobody else is ever offered a part of it.
 */
public record KvSnapshot(
    ModelTag tag,
    KvLayout layout,
    KvPrecision precision,
    int[] tokens,
    List<LayerKv> layers,
    List<Integer> seams,
    boolean imported) {

  public KvSnapshot {
    layers = List.copyOf(layers);
    seams = List.copyOf(seams);
    KvSnapshotHeader.checkSeams(seams, tokens.length);
    if (layers.size() != layout.layers().size()) {
      throw new IllegalArgumentException(
          "Snapshot has %d layers, its layout %d".formatted(layers.size(), layout.layers().size()));
    }
    for (int i = 0; i < layers.size(); i++) {
      check(i, layers.get(i), layout.layers().get(i), precision, tokens.length);
    }
  }

  /** A sequence that was computed here. */
  public KvSnapshot(
      ModelTag tag,
      KvLayout layout,
      KvPrecision precision,
      int[] tokens,
      List<LayerKv> layers,
      List<Integer> seams) {
    this(tag, layout, precision, tokens, layers, seams, false);
  }

  /** The same, of one that shares nothing. */
  public KvSnapshot(
      ModelTag tag, KvLayout layout, KvPrecision precision, int[] tokens, List<LayerKv> layers) {
    this(tag, layout, precision, tokens, layers, List.of());
  }

  /** The same cache, as one that came from outside. */
  public KvSnapshot asImported() {
    return new KvSnapshot(tag, layout, precision, tokens, layers, seams, true);
  }

  /**
   * Copies all keys and values to where {@code target} says.
   *
   * @return what lies there now; empty if {@code target} does not take it
   */
  public Optional<KvSnapshotHeader> copyTo(KvTarget target) {
    KvSnapshotHeader header = KvSnapshotHeader.of(this);
    Optional<List<KvTarget.KvBuffers>> places = target.buffers(header);
    if (places.isEmpty()) {
      return Optional.empty();
    }
    for (int i = 0; i < layers.size(); i++) {
      KvTarget.KvBuffers buffers = places.get().get(i);
      LayerKv kv = layers.get(i);
      int heads = layout.layers().get(i).kvHeads();
      int run = kv.length() * header.row(i);
      copy(kv.keys().slice(), buffers.keys(), heads, run, buffers.headStride());
      copy(kv.values().slice(), buffers.values(), heads, run, buffers.headStride());
    }
    return Optional.of(header);
  }

  private static void copy(ByteBuffer from, ByteBuffer to, int heads, int run, int headStride) {
    for (int head = 0; head < heads; head++) {
      to.put(head * headStride, from, head * run, run);
    }
  }

  private static void check(
      int index, LayerKv kv, KvLayout.Layer layer, KvPrecision precision, int tokens) {
    long each = (long) layer.kvHeads() * kv.length() * layer.headDim() * precision.bytes();
    boolean whole = layer.window() != 0 || kv.start() == 0;
    if (kv.end() != tokens
        || !whole
        || kv.length() < layer.held(tokens)
        || kv.keys().remaining() != each
        || kv.values().remaining() != each) {
      throw new IllegalArgumentException(
          "Layer %d holds tokens %d to %d in %d + %d bytes; expected up to %d in %d + %d"
              .formatted(
                  index,
                  kv.start(),
                  kv.end(),
                  kv.keys().remaining(),
                  kv.values().remaining(),
                  tokens,
                  each,
                  each));
    }
  }

  /** Bytes of all keys and values. */
  public long bytes() {
    return layers.stream()
        .mapToLong(l -> l.keys().remaining() + (long) l.values().remaining())
        .sum();
  }

  /**
   * One layer's keys and values for the tokens {@code start} to {@code start + length}, in the
   * order of the tokens. Each buffer is {@code [kvHeads, length, headDim]}, little-endian, from
   * position to limit.
   */
  public record LayerKv(int start, int length, ByteBuffer keys, ByteBuffer values) {
    public LayerKv {
      if (start < 0 || length < 0) {
        throw new IllegalArgumentException(
            "Not a span of tokens: %d + %d".formatted(start, length));
      }
      keys = keys.asReadOnlyBuffer();
      values = values.asReadOnlyBuffer();
    }

    /** Number of tokens seen by this layer. */
    public int end() {
      return start + length;
    }

    @Override
    public ByteBuffer keys() {
      return keys.duplicate();
    }

    @Override
    public ByteBuffer values() {
      return values.duplicate();
    }
  }
}
