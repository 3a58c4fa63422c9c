package dev.semantic.mlx.isolated;

import dev.semantic.kv.KvSnapshot;
import dev.semantic.kv.KvSnapshot.LayerKv;
import dev.semantic.mlx.isolated.Request.Span;
import dev.semantic.model.ModelException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** Snapshots as a header and parts: keys and values of each layer, in turn. */
final class Snapshots {
  private Snapshots() {}

  static Request.Restore ask(KvSnapshot snapshot) {
    return new Request.Restore(
        snapshot.tag(),
        snapshot.layout(),
        snapshot.precision(),
        snapshot.tokens(),
        spans(snapshot),
        snapshot.seams());
  }

  static Response.State answer(KvSnapshot snapshot) {
    return new Response.State(
        snapshot.tag(),
        snapshot.layout(),
        snapshot.precision(),
        snapshot.tokens(),
        spans(snapshot),
        snapshot.seams(),
        snapshot.imported());
  }

  private static List<Span> spans(KvSnapshot snapshot) {
    return snapshot.layers().stream()
        .map(layer -> new Span(layer.start(), layer.length()))
        .toList();
  }

  static List<ByteBuffer> parts(KvSnapshot snapshot) {
    List<ByteBuffer> parts = new ArrayList<>();
    for (LayerKv layer : snapshot.layers()) {
      parts.add(layer.keys());
      parts.add(layer.values());
    }
    return parts;
  }

  static KvSnapshot of(Request.Restore ask, List<ByteBuffer> parts) {
    return new KvSnapshot(
        ask.tag(),
        ask.layout(),
        ask.precision(),
        ask.tokens(),
        layers(ask.layers(), parts),
        ask.seams());
  }

  /**
   * What the child says that a sequence holds.
   *
   * @throws ModelException if that cannot be
   */
  static KvSnapshot of(Response.State state, List<ByteBuffer> parts) {
    try {
      return new KvSnapshot(
          state.tag(),
          state.layout(),
          state.precision(),
          state.tokens(),
          layers(state.layers(), parts),
          state.seams(),
          state.imported());
    } catch (IllegalArgumentException | IndexOutOfBoundsException | NullPointerException e) {
      throw new ModelException(
          ModelException.Kind.FAILED, "The process sent keys and values that fit nothing: " + e, e);
    }
  }

  private static List<LayerKv> layers(List<Span> spans, List<ByteBuffer> parts) {
    List<LayerKv> layers = new ArrayList<>();
    for (int i = 0; i < spans.size(); i++) {
      Span span = spans.get(i);
      layers.add(new LayerKv(span.start(), span.length(), parts.get(2 * i), parts.get(2 * i + 1)));
    }
    return layers;
  }
}
