package dev.semantic.mlx.kv;

import dev.semantic.kv.KvSnapshot.LayerKv;
import dev.semantic.kv.KvTarget.KvBuffers;
import dev.semantic.kv.SegmentMergePolicy;
import dev.semantic.mlx.array.DType;
import dev.semantic.mlx.array.MlxArray;
import dev.semantic.mlx.array.Ops;
import dev.semantic.mlx.array.Scope;
import dev.semantic.model.KvLayout;
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
final class SharedPrefixKvCache implements KvCache {
  private final Scope owner;
  private final KvLayout.Layer layer;
  private final DType dtype;
  private final List<KvView> parts = new ArrayList<>();
  private ContiguousKvCache tail;

  SharedPrefixKvCache(Scope owner, KvLayout.Layer layer, DType dtype) {
    this.owner = owner;
    this.layer = layer;
    this.dtype = dtype;
    this.tail = new ContiguousKvCache(owner, layer, dtype);
  }

  private int shared() {
    return parts.stream().mapToInt(KvView::tokens).sum();
  }

  @Override
  public int window() {
    return layer.window();
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
    KvView all = joined(s, append(s, k, v));
    Ops.Mask mask = masks.causal(q.dim(2), all.tokens(), 0);
    return masks.attend(s, q, all, scale, mask);
  }

  @Override
  public List<KvView> append(Scope s, MlxArray k, MlxArray v) {
    KvView own = tail.appended(s, k, v);
    return Stream.concat(parts.stream(), Stream.of(own)).toList();
  }

  /** One behind the other for each head: much smaller than the scores of many queries would be. */
  private static KvView joined(Scope s, List<KvView> pieces) {
    if (pieces.size() == 1) {
      return pieces.getFirst();
    }
    return new KvView(
        Ops.concatenate(s, 2, pieces.stream().map(KvView::keys).toArray(MlxArray[]::new)),
        Ops.concatenate(s, 2, pieces.stream().map(KvView::values).toArray(MlxArray[]::new)));
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
      KvView last = parts.removeLast();
      int stay = length - shared();
      if (stay > 0) {
        parts.add(cut(owner, last, stay));
      }
      owner.release(last.keys());
      owner.release(last.values());
    }
  }

  @Override
  public void clear() {
    trim(0);
    tail.clear();
  }

  @Override
  public KvCache fork(Scope s, Scope other, int length) {
    if (length > shared()) {
      part(s, length - shared());
    }
    SharedPrefixKvCache fork = new SharedPrefixKvCache(other, layer, dtype);
    for (KvView part : parts) {
      int left = length - fork.shared();
      if (left > 0) {
        fork.parts.add(cut(other, part, Math.min(left, part.tokens())));
      }
    }
    return fork;
  }

  /** Makes a part of the first {@code length} tokens of the tail. */
  private void part(Scope s, int length) {
    ContiguousKvCache rest = new ContiguousKvCache(owner, layer, dtype);
    KvView all = tail.held(s);
    int held = tail.offset();
    parts.add(new KvView(own(s, all.keys(), length), own(s, all.values(), length)));
    if (held > length) {
      rest.appended(s, span(s, all.keys(), length, held), span(s, all.values(), length, held));
    }
    tail.clear();
    tail = rest;
    // the pool counts by the same rule
    SegmentMergePolicy.toJoin(parts.stream().map(KvView::tokens).toList())
        .ifPresent(index -> join(s, index));
    s.eval(List.of(arrays()));
  }

  /** Makes one part of two; whoever holds them as well goes on holding the two. */
  private void join(Scope s, int index) {
    KvView first = parts.get(index);
    KvView second = parts.remove(index + 1);
    KvView joined = joined(s, List.of(first, second));
    parts.set(index, new KvView(owner.keep(joined.keys()), owner.keep(joined.values())));
    Stream.of(first, second).flatMap(SharedPrefixKvCache::arrays).forEach(owner::release);
  }

  /** A copy: a view would keep the whole of a buffer that is about to be let go of. */
  private MlxArray own(Scope s, MlxArray all, int length) {
    int half = length / 2;
    return half == 0
        ? owner.keep(Ops.contiguous(s, span(s, all, 0, length)))
        : owner.keep(Ops.concatenate(s, 2, span(s, all, 0, half), span(s, all, half, length)));
  }

  private KvView cut(Scope holder, KvView part, int length) {
    try (Scope s = holder.child("part")) {
      KvView cut =
          new KvView(
              holder.keep(span(s, part.keys(), 0, length)),
              holder.keep(span(s, part.values(), 0, length)));
      s.eval(arrays(cut).toList());
      return cut;
    }
  }

  private static Stream<MlxArray> arrays(KvView part) {
    return Stream.of(part.keys(), part.values());
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
    return Stream.concat(
            parts.stream().flatMap(SharedPrefixKvCache::arrays), Stream.of(tail.arrays()))
        .toArray(MlxArray[]::new);
  }

  @Override
  public List<Integer> segmentEnds() {
    List<Integer> seams = new ArrayList<>();
    int at = 0;
    for (KvView part : parts) {
      at += part.tokens();
      seams.add(at);
    }
    return seams;
  }

  @Override
  public LayerKv snapshot(Scope s) {
    if (parts.isEmpty()) {
      return tail.snapshot(s);
    }
    List<KvExport.Span> keys = new ArrayList<>();
    List<KvExport.Span> values = new ArrayList<>();
    for (KvView part : parts) {
      keys.add(KvExport.whole(part.keys()));
      values.add(KvExport.whole(part.values()));
    }
    List<KvExport.Span> own = tail.spans();
    if (!own.isEmpty()) {
      keys.add(own.getFirst());
      values.add(own.getLast());
    }
    return new LayerKv(0, offset(), KvExport.of(keys), KvExport.of(values));
  }

  @Override
  public void vacate(int start, int end) {
    tail.vacate(start, end);
  }

  @Override
  public KvBuffers buffers() {
    return tail.buffers();
  }

  @Override
  public void commit() {
    tail.commit();
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
          new KvView(
              own(s, span(s, keys, from, seam), seam - from),
              own(s, span(s, values, from, seam), seam - from)));
      from = seam;
    }
    if (from < saved.length()) {
      tail.appended(s, span(s, keys, from, saved.length()), span(s, values, from, saved.length()));
    }
  }
}
