package dev.semantic.mlx.kv;

import dev.semantic.cache.KvMemory.Place;
import dev.semantic.cache.KvSnapshot.LayerKv;
import dev.semantic.mlx.array.DType;
import dev.semantic.mlx.array.MlxArray;
import dev.semantic.mlx.array.Ops;
import dev.semantic.mlx.array.Scope;
import dev.semantic.model.KvLayout;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * The cache of a layer that attends to everything: parts that other sequences may hold too and
 * nobody writes to, and behind them a tail of its own.
 *
 * <p>Each sequence has handles of its own to a part's arrays; the memory is MLX's to count, and
 * free when the last handle is.
 */
final class PartedKvCache implements KvCache {
  private final Scope owner;
  private final KvLayout.Layer layer;
  private final DType dtype;
  private final List<Part> parts = new ArrayList<>();
  private ContiguousKvCache tail;

  /** Keys and values {@code [1, kvHeads, length, headDim]}. */
  private record Part(MlxArray keys, MlxArray values) {
    Stream<MlxArray> arrays() {
      return Stream.of(keys, values);
    }

    int length() {
      return keys.dim(2);
    }
  }

  PartedKvCache(Scope owner, KvLayout.Layer layer, DType dtype) {
    this.owner = owner;
    this.layer = layer;
    this.dtype = dtype;
    this.tail = new ContiguousKvCache(owner, layer, dtype);
  }

  private int shared() {
    return parts.stream().mapToInt(Part::length).sum();
  }

  @Override
  public int offset() {
    return shared() + tail.offset();
  }

  @Override
  public MlxArray attend(Scope s, MlxArray q, MlxArray k, MlxArray v, float scale, Masks masks) {
    if (parts.isEmpty()) {
      return tail.attend(s, q, k, v, scale, masks);
    }
    ContiguousKvCache.Seen own = tail.append(s, k, v);
    List<MlxArray> keys = new ArrayList<>();
    List<MlxArray> values = new ArrayList<>();
    for (Part part : parts) {
      keys.add(part.keys());
      values.add(part.values());
    }
    keys.add(own.keys());
    values.add(own.values());
    return PartedAttention.of(s, q, keys, values, scale, masks);
  }

  @Override
  public boolean canTrim(int length) {
    return length >= 0 && length <= offset();
  }

  @Override
  public void trim(int length) {
    int before = shared();
    if (length >= before) {
      tail.trim(length - before);
      return;
    }
    tail.clear();
    while (shared() > length) {
      Part last = parts.removeLast();
      int stay = length - shared();
      if (stay > 0) {
        parts.add(cut(owner, last, stay));
      }
      owner.release(last.keys());
      owner.release(last.values());
    }
  }

  @Override
  public KvCache fork(Scope s, Scope other, int length) {
    if (length > shared()) {
      part(s, length - shared());
    }
    PartedKvCache fork = new PartedKvCache(other, layer, dtype);
    for (Part part : parts) {
      int left = length - fork.shared();
      if (left > 0) {
        fork.parts.add(cut(other, part, Math.min(left, part.length())));
      }
    }
    return fork;
  }

  /** Makes a part of the first {@code length} tokens of the tail. */
  private void part(Scope s, int length) {
    ContiguousKvCache rest = new ContiguousKvCache(owner, layer, dtype);
    ContiguousKvCache.Seen all = tail.held(s);
    int held = tail.offset();
    parts.add(new Part(own(s, all.keys(), length), own(s, all.values(), length)));
    if (held > length) {
      rest.append(s, span(s, all.keys(), length, held), span(s, all.values(), length, held));
    }
    s.eval(Stream.concat(parts.stream().flatMap(Part::arrays), Stream.of(rest.arrays())).toList());
    tail.clear();
    tail = rest;
  }

  /** A copy: a view would keep the whole of a buffer that is about to be let go of. */
  private MlxArray own(Scope s, MlxArray all, int length) {
    int half = length / 2;
    return half == 0
        ? owner.keep(Ops.contiguous(s, span(s, all, 0, length)))
        : owner.keep(Ops.concatenate(s, 2, span(s, all, 0, half), span(s, all, half, length)));
  }

  private Part cut(Scope holder, Part part, int length) {
    try (Scope s = holder.child("part")) {
      Part cut =
          new Part(
              holder.keep(span(s, part.keys(), 0, length)),
              holder.keep(span(s, part.values(), 0, length)));
      s.eval(cut.arrays().toList());
      return cut;
    }
  }

  private MlxArray span(Scope s, MlxArray all, int from, int to) {
    return Ops.slice(
        s, all, new int[] {0, 0, from, 0}, new int[] {1, layer.kvHeads(), to, layer.headDim()});
  }

  @Override
  public long bytes() {
    return tail.bytes() + (long) shared() * 2 * layer.kvHeads() * layer.headDim() * dtype.bytes();
  }

  @Override
  public MlxArray[] arrays() {
    return Stream.concat(parts.stream().flatMap(Part::arrays), Stream.of(tail.arrays()))
        .toArray(MlxArray[]::new);
  }

  @Override
  public List<Integer> seams() {
    List<Integer> seams = new ArrayList<>();
    int at = 0;
    for (Part part : parts) {
      at += part.length();
      seams.add(at);
    }
    return seams;
  }

  @Override
  public LayerKv snapshot(Scope s) {
    if (parts.isEmpty()) {
      return tail.snapshot(s);
    }
    List<MlxArray> keys = new ArrayList<>();
    List<MlxArray> values = new ArrayList<>();
    for (Part part : parts) {
      keys.add(part.keys());
      values.add(part.values());
    }
    if (tail.offset() > 0) {
      ContiguousKvCache.Seen own = tail.held(s);
      keys.add(own.keys());
      values.add(own.values());
    }
    return new LayerKv(0, offset(), gathered(s, keys), gathered(s, values));
  }

  /** One behind the other for each head. */
  private ByteBuffer gathered(Scope s, List<MlxArray> pieces) {
    MlxArray all =
        pieces.size() == 1
            ? pieces.getFirst()
            : Ops.concatenate(s, 2, pieces.toArray(MlxArray[]::new));
    return ContiguousKvCache.copyOut(all);
  }

  @Override
  public void vacate(int start, int end) {
    tail.vacate(start, end);
  }

  @Override
  public Place place() {
    return tail.place();
  }

  @Override
  public void occupy() {
    tail.occupy();
  }

  @Override
  public void restore(Scope s, LayerKv saved, List<Integer> seams) {
    if (seams.isEmpty()) {
      tail.restore(s, saved, seams);
      return;
    }
    MlxArray keys = ContiguousKvCache.copyIn(s, saved.keys(), layer, dtype, saved.length());
    MlxArray values = ContiguousKvCache.copyIn(s, saved.values(), layer, dtype, saved.length());
    int from = 0;
    for (int seam : seams) {
      parts.add(
          new Part(
              own(s, span(s, keys, from, seam), seam - from),
              own(s, span(s, values, from, seam), seam - from)));
      from = seam;
    }
    if (from < saved.length()) {
      tail.append(s, span(s, keys, from, saved.length()), span(s, values, from, saved.length()));
    }
  }
}
