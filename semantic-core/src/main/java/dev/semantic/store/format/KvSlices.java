package dev.semantic.store.format;

import dev.semantic.kv.KvEncoding;
import dev.semantic.kv.KvSnapshot;
import dev.semantic.model.KvLayout;
import dev.semantic.model.KvPrecision;
import dev.semantic.store.format.CacheHeader.Span;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * Some consecutive tokens of a buffer {@code [heads, tokens, headDim]}: one run of bytes per head,
 * which together are a section of a file.
 *
 * @param whole the buffer, from position 0
 * @param stride bytes from one head's run to the next head's
 * @param first offset of the first run
 * @param run bytes of each run
 */
public record KvSlices(ByteBuffer whole, int heads, int stride, int first, int run) {

  /** Takes a part of a run. */
  @FunctionalInterface
  interface Piece {
    void take(ByteBuffer bytes) throws IOException;
  }

  /** All of a buffer, as a single run. */
  static KvSlices all(ByteBuffer bytes) {
    return new KvSlices(bytes, 1, bytes.remaining(), 0, bytes.remaining());
  }

  /**
   * The tokens of {@code wanted} in a buffer that holds those of {@code held}.
   *
   * @param row bytes of one token in one head
   */
  static KvSlices of(ByteBuffer whole, int heads, int row, Span held, Span wanted) {
    return of(whole, heads, row, held.length() * row, held.start(), wanted);
  }

  /**
   * The tokens of {@code wanted} in a buffer in which each head's tokens begin with the one at
   * {@code start}.
   */
  static KvSlices of(ByteBuffer whole, int heads, int row, int stride, int start, Span wanted) {
    return new KvSlices(
        whole, heads, stride, (wanted.start() - start) * row, wanted.length() * row);
  }

  /** One layer's keys, and its values, for the tokens of {@code wanted}, as they are written. */
  public static List<KvSlices> of(
      KvSnapshot snapshot, KvEncoding encoding, int layer, Span wanted) {
    return of(
        snapshot.layers().get(layer),
        snapshot.layout().layers().get(layer),
        snapshot.precision(),
        encoding,
        wanted);
  }

  /** The same of one layer. */
  static List<KvSlices> of(
      KvSnapshot.LayerKv kv,
      KvLayout.Layer geometry,
      KvPrecision precision,
      KvEncoding encoding,
      Span wanted) {
    int row = geometry.headDim() * precision.bytes();
    Span held = new Span(kv.start(), kv.length());
    return Stream.of(kv.keys(), kv.values())
        .map(all -> of(all.slice(), geometry.kvHeads(), row, held, wanted))
        .map(slices -> slices.written(encoding, precision, geometry.headDim()))
        .toList();
  }

  /** The same, as it is written: itself, or quantised. */
  KvSlices written(KvEncoding encoding, KvPrecision precision, int headDim) {
    if (encoding == KvEncoding.EXACT) {
      return this;
    }
    int rows = bytes() / (headDim * precision.bytes());
    int row = QuantizedRows.bytes(encoding, precision, headDim);
    ByteBuffer written = ByteBuffer.allocate(Math.multiplyExact(rows, row));
    QuantizedRows quantized = new QuantizedRows(encoding, precision, headDim);
    each(run -> quantized.encode(run, written));
    return all(written.flip());
  }

  int bytes() {
    return heads * run;
  }

  /** Hands out all of it, in order. */
  public void each(Consumer<ByteBuffer> piece) {
    for (int head = 0; head < heads && run > 0; head++) {
      piece.accept(whole.slice(head * stride + first, run));
    }
  }

  /**
   * Hands out the bytes {@code offset} to {@code offset + length} of the section, in order, as
   * slices of the buffer.
   */
  void each(int offset, int length, Piece piece) throws IOException {
    int at = offset;
    int end = offset + length;
    while (at < end) {
      int head = at / run;
      int inRun = at % run;
      int count = Math.min(run - inRun, end - at);
      piece.take(whole.slice(head * stride + first + inRun, count));
      at += count;
    }
  }
}
