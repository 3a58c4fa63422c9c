package dev.semantic.mlx.kv;

import dev.semantic.kv.KvSnapshot.LayerKv;
import dev.semantic.kv.KvTarget.KvBuffers;
import dev.semantic.mlx.array.DType;
import dev.semantic.mlx.array.MlxArray;
import dev.semantic.mlx.array.Ops;
import dev.semantic.mlx.array.Scope;
import dev.semantic.model.KvLayout;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Keys and values in the order of the tokens, in buffers that grow by {@value #STEP} tokens and are
 * written in place.
 *
 * <p>A sliding-window layer uses the same buffers: when they are full, what has left the window is
 * dropped and the rest moves to the front, once every {@value #STEP} tokens. A ring would save that
 * move but lose the order, and with the order the means to trim and to continue bit for bit from a
 * snapshot.
 */
final class ContiguousKvCache implements KvCache {
  /** Growing by concatenation at every token copies the whole cache each time. */
  private static final int STEP = 256;

  private final Scope owner;
  private final KvLayout.Layer layer;
  private final DType dtype;
  private @Nullable MlxArray keys;
  private @Nullable MlxArray values;
  private int capacity;
  private int start; // position of the first token held
  private int end; // position after the last
  private int vacantTo; // position after the last that is being read from elsewhere; or 0

  ContiguousKvCache(Scope owner, KvLayout.Layer layer, DType dtype) {
    this.owner = owner;
    this.layer = layer;
    this.dtype = dtype;
  }

  @Override
  public int window() {
    return layer.window();
  }

  @Override
  public int offset() {
    return end;
  }

  @Override
  public MlxArray attend(Scope s, MlxArray q, MlxArray k, MlxArray v, float scale, Masks masks) {
    int count = k.dim(2);
    KvView all = appended(s, k, v);
    return masks.attend(s, q, all, scale, masks.causal(count, all.keys().dim(2), layer.window()));
  }

  @Override
  public List<KvView> append(Scope s, MlxArray k, MlxArray v) {
    return List.of(appended(s, k, v));
  }

  /** Appends; returns what the new tokens may see. */
  KvView appended(Scope s, MlxArray k, MlxArray v) {
    int count = k.dim(2);
    makeRoom(s, count);
    int at = end - start;
    keys = write(s, keys, k, at);
    values = write(s, values, v, at);
    end += count;
    int held = end - start;
    int seen = layer.window() == 0 ? held : Math.min(held, layer.window() - 1 + count);
    return new KvView(span(s, keys, held - seen, held), span(s, values, held - seen, held));
  }

  /** All that is held; at least one token. */
  KvView held(Scope s) {
    if (keys == null || values == null) {
      throw new IllegalStateException("KV cache holds nothing");
    }
    int held = end - start;
    return new KvView(span(s, keys, 0, held), span(s, values, 0, held));
  }

  @Override
  public void clear() {
    if (keys != null) {
      owner.release(keys);
    }
    if (values != null) {
      owner.release(values);
    }
    keys = null;
    values = null;
    capacity = 0;
    start = 0;
    end = 0;
  }

  @Override
  public KvCache fork(Scope s, Scope other, int length) {
    ContiguousKvCache fork = new ContiguousKvCache(other, layer, dtype);
    int stay = layer.held(length);
    fork.start = length - stay;
    fork.end = length;
    if (stay > 0) {
      int from = fork.start - start;
      fork.capacity = roundUp(stay + 1);
      fork.keys = fork.moved(s, span(s, held(s).keys(), from, from + stay), stay);
      fork.values = fork.moved(s, span(s, held(s).values(), from, from + stay), stay);
      s.eval(List.of(fork.arrays()));
    }
    return fork;
  }

  private void makeRoom(Scope s, int count) {
    int held = end - start;
    if (held + count <= capacity) {
      return;
    }
    // A window's worth stays, not one less: a snapshot taken between two tokens needs it whole.
    int stay = layer.held(held);
    int wanted = roundUp(stay + count);
    keys = moved(s, keys, held - stay, held, wanted);
    values = moved(s, values, held - stay, held, wanted);
    start += held - stay;
    capacity = wanted;
  }

  private static int roundUp(int tokens) {
    return Math.ceilDiv(tokens, STEP) * STEP;
  }

  /** A buffer of {@code wanted} tokens that begins with the tokens from..to of {@code old}. */
  private MlxArray moved(Scope s, @Nullable MlxArray old, int from, int to, int wanted) {
    int fresh = wanted - (to - from);
    MlxArray room = s.zeros(dtype, 1, layer.kvHeads(), fresh, layer.headDim());
    if (old == null || from == to) {
      return replace(old, room);
    }
    return replace(old, Ops.concatenate(s, 2, span(s, old, from, to), room));
  }

  /**
   * In two parts where the update fills all of the buffer: MLX would put the update in its place,
   * and that is a view of the queries, keys and values of all heads, which would stay with it.
   */
  private MlxArray write(Scope s, @Nullable MlxArray buffer, MlxArray update, int at) {
    if (buffer == null) {
      throw new IllegalStateException("KV cache has no room");
    }
    int count = update.dim(2);
    if (count < buffer.dim(2)) {
      return put(s, buffer, update, at);
    }
    MlxArray begun = put(s, buffer, span(s, update, 0, 1), at);
    return put(s, begun, span(s, update, 1, count), at + 1);
  }

  private MlxArray put(Scope s, MlxArray buffer, MlxArray update, int at) {
    int[] from = {0, 0, at, 0};
    int[] to = {1, layer.kvHeads(), at + update.dim(2), layer.headDim()};
    return replace(buffer, Ops.sliceUpdate(s, buffer, update, from, to));
  }

  /**
   * Lets go of the old handle at once: the update happens in place only if nobody else holds it.
   */
  private MlxArray replace(@Nullable MlxArray old, MlxArray fresh) {
    MlxArray kept = owner.keep(fresh);
    if (old != null) {
      owner.release(old);
    }
    return kept;
  }

  private MlxArray span(Scope s, MlxArray buffer, int from, int to) {
    return Ops.slice(
        s, buffer, new int[] {0, 0, from, 0}, new int[] {1, layer.kvHeads(), to, layer.headDim()});
  }

  @Override
  public boolean canTrim(int length) {
    return length >= 0 && length <= end && (start == 0 || length - start >= layer.window());
  }

  @Override
  public void trim(int length) {
    if (!canTrim(length)) {
      throw new IllegalStateException(
          "A window of %d that holds tokens %d to %d cannot go back to %d"
              .formatted(layer.window(), start, end, length));
    }
    end = length;
  }

  @Override
  public long bytes() {
    return (long) capacity * 2 * layer.kvHeads() * layer.headDim() * dtype.bytes();
  }

  @Override
  public MlxArray[] arrays() {
    return keys == null || values == null ? new MlxArray[0] : new MlxArray[] {keys, values};
  }

  @Override
  public LayerKv snapshot(Scope s) {
    int length = layer.held(end);
    return new LayerKv(end - length, length, outside(keys, length), outside(values, length));
  }

  /** The last {@code length} tokens. */
  private ByteBuffer outside(@Nullable MlxArray buffer, int length) {
    return KvExport.of(buffer == null ? List.of() : List.of(span(buffer, length)));
  }

  private KvExport.Span span(MlxArray buffer, int length) {
    int held = end - start;
    return new KvExport.Span(buffer, held - length, held);
  }

  /** The keys, then the values of all that is held; none where nothing is. */
  List<KvExport.Span> spans() {
    return keys == null || values == null || end == start
        ? List.of()
        : List.of(span(keys, end - start), span(values, end - start));
  }

  @Override
  public void restore(Scope s, LayerKv saved, List<Integer> seams) {
    if (end != 0) {
      throw new IllegalStateException("A KV cache is restored only while it is empty");
    }
    start = saved.start();
    end = saved.start();
    if (saved.length() > 0) {
      capacity = roundUp(saved.length() + 1);
      keys = moved(s, copyIn(s, saved.keys(), layer, dtype, saved.length()), saved.length());
      values = moved(s, copyIn(s, saved.values(), layer, dtype, saved.length()), saved.length());
    }
    end = saved.end();
  }

  @Override
  public void vacate(int from, int to) {
    if (end != 0 || vacantTo != 0) {
      throw new IllegalStateException("A KV cache is filled only while it is empty");
    }
    start = from;
    end = from;
    vacantTo = to;
    capacity = roundUp(to - from + 1);
    keys = owner.unfilled(dtype, 1, layer.kvHeads(), capacity, layer.headDim());
    values = owner.unfilled(dtype, 1, layer.kvHeads(), capacity, layer.headDim());
  }

  @Override
  public KvBuffers buffers() {
    int row = layer.headDim() * dtype.bytes();
    return new KvBuffers(vacant(keys, row), vacant(values, row), capacity * row);
  }

  /** What lies behind the tokens is never seen, but may be multiplied by nothing: no NaN. */
  private ByteBuffer vacant(@Nullable MlxArray buffer, int row) {
    if (buffer == null) {
      throw new IllegalStateException("No memory was asked for");
    }
    MemorySegment memory = owner.writable(buffer);
    long length = (long) (vacantTo - start) * row;
    for (int head = 0; head < layer.kvHeads(); head++) {
      long first = (long) head * capacity * row;
      memory.asSlice(first + length, (long) capacity * row - length).fill((byte) 0);
    }
    return memory.asByteBuffer();
  }

  @Override
  public void commit() {
    end = vacantTo;
    vacantTo = 0;
  }

  private MlxArray moved(Scope s, MlxArray saved, int length) {
    MlxArray room = s.zeros(dtype, 1, layer.kvHeads(), capacity - length, layer.headDim());
    return owner.keep(Ops.concatenate(s, 2, saved, room));
  }

  static MlxArray copyIn(Scope s, ByteBuffer bytes, KvLayout.Layer layer, DType dtype, int length) {
    return s.copyOf(
        MemorySegment.ofBuffer(bytes), dtype, 1, layer.kvHeads(), length, layer.headDim());
  }
}
