package dev.semantic.mlx;

import dev.semantic.kv.KvSnapshot;
import dev.semantic.kv.KvSnapshot.LayerKv;
import dev.semantic.kv.KvSnapshotHeader;
import dev.semantic.kv.KvTarget.KvBuffers;
import dev.semantic.mlx.array.DType;
import dev.semantic.mlx.array.Scope;
import dev.semantic.mlx.kv.KvCache;
import dev.semantic.model.ModelSpec;
import dev.semantic.spi.Sequence;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** One agent's tokens and a KV cache for every layer, in a scope of their own. */
final class MlxSequence implements Sequence {
  private final MlxLoadedModel model;
  private final Scope scope;
  private final List<KvCache> caches;
  private int[] tokens = new int[64];
  private int length;
  private boolean far; // computed as sequences beyond the model's near context are
  private boolean broken;

  /** On the owner thread. */
  MlxSequence(MlxLoadedModel model, Scope scope, DType dtype) {
    this.model = model;
    this.scope = scope;
    this.caches =
        model.spec().kvLayout().layers().stream()
            .map(layer -> KvCache.of(scope, layer, dtype))
            .collect(Collectors.toCollection(ArrayList::new));
  }

  MlxLoadedModel model() {
    return model;
  }

  Scope scope() {
    return scope;
  }

  List<KvCache> caches() {
    if (broken) {
      throw new IllegalStateException(
          scope.name() + " lost its KV cache in a failed step; open another sequence");
    }
    return caches;
  }

  /** Whether it holds more tokens, or will with so many more, than its model's near context. */
  boolean isLong(int more) {
    return (long) length + more > model.nearContext();
  }

  /** Whether its keys and values are those of a long sequence. */
  boolean isFar() {
    return far;
  }

  /** On the owner thread: all it holds is to be computed anew, as of a long sequence. */
  void startOver() {
    caches().forEach(KvCache::clear);
    far = true;
  }

  void append(int[] more) {
    if (length + more.length > tokens.length) {
      tokens = Arrays.copyOf(tokens, Math.max(tokens.length * 2, length + more.length));
    }
    System.arraycopy(more, 0, tokens, length, more.length);
    length += more.length;
  }

  /** Goes back to {@code length} tokens after a failed step, or says from now on that it can't. */
  void recover() {
    if (far == isLong(0) && caches.stream().allMatch(cache -> cache.canTrim(length))) {
      caches.forEach(cache -> cache.trim(length));
    } else {
      broken = true;
    }
  }

  /** On the owner thread; into a new sequence only. */
  void fill(KvSnapshot snapshot) {
    try (Scope s = scope.child("restore")) {
      for (int i = 0; i < caches.size(); i++) {
        caches.get(i).restore(s, snapshot.layers().get(i), snapshot.seams());
      }
      s.eval(caches.stream().flatMap(cache -> Arrays.stream(cache.arrays())).toList());
    }
    append(snapshot.tokens());
    far = isLong(0);
  }

  /** On the owner thread; where the numbers of a new sequence go. */
  List<KvBuffers> vacate(KvSnapshotHeader header) {
    for (int i = 0; i < caches.size(); i++) {
      caches.get(i).vacate(header.starts().get(i), header.tokens().length);
    }
    scope.eval(caches.stream().flatMap(cache -> Arrays.stream(cache.arrays())).toList());
    return caches.stream().map(KvCache::buffers).toList();
  }

  /** On the owner thread; the numbers are there. */
  void occupy(KvSnapshotHeader header) {
    scope.endWriting();
    caches.forEach(KvCache::commit);
    append(header.tokens());
    far = isLong(0);
  }

  @Override
  public int[] tokens() {
    return Arrays.copyOf(tokens, length);
  }

  @Override
  public int length() {
    return length;
  }

  @Override
  public boolean trim(int newLength) {
    if (newLength < 0 || newLength > length) {
      throw new IllegalArgumentException(
          "A sequence of %d tokens cannot be trimmed to %d".formatted(length, newLength));
    }
    return model.call(
        () -> {
          boolean other = far && newLength <= model.nearContext();
          if (other || !caches().stream().allMatch(cache -> cache.canTrim(newLength))) {
            return false;
          }
          caches.forEach(cache -> cache.trim(newLength));
          length = newLength;
          return true;
        });
  }

  @Override
  public Optional<Sequence> fork(int newLength) {
    if (newLength < 1 || newLength > length) {
      throw new IllegalArgumentException(
          "A sequence of %d tokens cannot share %d".formatted(length, newLength));
    }
    return model.call(
        () ->
            mayShare(newLength) && caches().stream().allMatch(cache -> cache.canFork(newLength))
                ? Optional.of(model.forkHere(this, newLength))
                : Optional.empty());
  }

  /**
   * What is shared is counted once, so whoever may have to compute it anew shares nothing; nor is
   * the beginning of a long sequence that of a short one.
   */
  private boolean mayShare(int newLength) {
    return newLength > model.nearContext() || model.spec().contextLength() <= model.nearContext();
  }

  /** On the owner thread; into a new sequence only. */
  void fill(MlxSequence donor, int newLength) {
    try (Scope s = scope.child("fork")) {
      for (int i = 0; i < caches.size(); i++) {
        caches.set(i, donor.caches.get(i).fork(s, scope, newLength));
      }
    }
    append(Arrays.copyOf(donor.tokens, newLength));
    far = isLong(0);
  }

  @Override
  public int common(int[] others) {
    int mismatch = Arrays.mismatch(tokens, 0, length, others, 0, others.length);
    return mismatch < 0 ? length : mismatch;
  }

  @Override
  public long bytes() {
    return caches.stream().mapToLong(KvCache::bytes).sum();
  }

  @Override
  public KvSnapshot snapshot() {
    return model.call(
        () -> {
          List<LayerKv> layers = new ArrayList<>();
          try (Scope s = scope.child("snapshot")) {
            for (KvCache cache : caches()) {
              layers.add(cache.snapshot(s));
            }
          }
          ModelSpec spec = model.spec();
          List<Integer> seams =
              caches.stream()
                  .map(KvCache::segmentEnds)
                  .filter(each -> !each.isEmpty())
                  .findFirst()
                  .orElse(List.of());
          return new KvSnapshot(
              spec.tag(), spec.kvLayout(), spec.kvPrecision(), tokens(), layers, seams, far);
        });
  }

  @Override
  public void close() {
    model.forget(this);
  }

  @Override
  public String toString() {
    return scope.name() + " of " + length + " tokens";
  }
}
