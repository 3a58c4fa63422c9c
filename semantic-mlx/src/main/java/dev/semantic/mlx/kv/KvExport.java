package dev.semantic.mlx.kv;

import dev.semantic.mlx.array.MlxArray;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.List;

/** Keys or values on their way out of MLX: copied once, from the buffers they lie in. */
final class KvExport {
  private KvExport() {}

  /**
   * Tokens {@code from} to {@code to} of a buffer.
   *
   * @param buffer {@code [1, kvHeads, capacity, headDim]}
   */
  record Span(MlxArray buffer, int from, int to) {
    long width() {
      return (long) buffer.dim(3) * buffer.dtype().bytes();
    }

    int tokens() {
      return to - from;
    }
  }

  /** All tokens of a piece. */
  static Span whole(MlxArray piece) {
    return new Span(piece, 0, piece.dim(2));
  }

  /** Spans one behind the other for each head: {@code [kvHeads, tokens, headDim]}. */
  static ByteBuffer of(List<Span> spans) {
    int tokens = spans.stream().mapToInt(Span::tokens).sum();
    if (tokens == 0) {
      return ByteBuffer.allocate(0);
    }
    long width = spans.getFirst().width();
    int heads = spans.getFirst().buffer().dim(1);
    byte[] bytes = new byte[Math.toIntExact(width * heads * tokens)];
    MemorySegment target = MemorySegment.ofArray(bytes);
    long at = 0;
    for (Span span : spans) {
      span.buffer().readSpans(span.from(), span.to(), target.asSlice(at), tokens * width);
      at += span.tokens() * width;
    }
    return ByteBuffer.wrap(bytes);
  }
}
