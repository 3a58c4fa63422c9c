package dev.semantic.mlx;

import static java.util.Objects.requireNonNull;

import dev.semantic.kv.KvSnapshot;
import dev.semantic.mlx.array.DType;
import dev.semantic.mlx.array.MlxArray;
import dev.semantic.mlx.array.MlxSession;
import dev.semantic.mlx.array.Ops;
import dev.semantic.mlx.array.Scope;
import dev.semantic.mlx.kv.KvCache;
import dev.semantic.mlx.layers.Transformer;
import dev.semantic.model.KvLayout;
import dev.semantic.model.KvPrecision;
import dev.semantic.model.ModelSpec;
import dev.semantic.model.ModelTag;
import dev.semantic.spi.KvAllocation;
import dev.semantic.spi.LoadedModel;
import dev.semantic.spi.Sequence;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** A model in MLX's memory: its weights in one scope, each sequence in a scope below it. */
final class MlxLoadedModel implements LoadedModel {
  private static final int AT_A_TIME = 512; // tokens that are computed anew

  private final MlxSession session;
  private final OpenModels models;
  private final ModelSpec spec;
  private final DType dtype;
  private final int nearContext;
  private final Scope scope;
  private final long bytes;
  private final List<MlxSequence> sequences = new ArrayList<>(); // on the owner thread
  private @Nullable Transformer transformer; // null once closed: nothing may hold the weights
  private int opened;

  /**
   * On the owner thread.
   *
   * @param scope holds the weights; closed with this model
   * @param bytes of the weights
   */
  MlxLoadedModel(
      MlxSession session,
      OpenModels models,
      ModelSpec spec,
      DType dtype,
      Scope scope,
      Transformer transformer,
      long bytes) {
    this.session = session;
    this.models = models;
    this.spec = spec;
    this.dtype = dtype;
    this.scope = scope;
    this.transformer = transformer;
    this.nearContext = transformer.nearContext();
    this.bytes = bytes;
  }

  @Override
  public ModelSpec spec() {
    return spec;
  }

  @Override
  public long bytes() {
    return bytes;
  }

  /** As {@link dev.semantic.mlx.architecture.ModelDescription#nearContext}. */
  int nearContext() {
    return nearContext;
  }

  <T> T call(Callable<T> work) {
    return session.owner().call(work);
  }

  void run(Runnable work) {
    session.owner().run(work);
  }

  @Override
  public Sequence open() {
    return call(this::openHere);
  }

  /** On the owner thread. */
  MlxSequence openHere() {
    transformer();
    MlxSequence sequence =
        new MlxSequence(this, scope.child("sequence " + ++opened + " of " + spec.id()), dtype);
    sequences.add(sequence);
    return sequence;
  }

  /** On the owner thread. */
  Sequence forkHere(MlxSequence donor, int tokens) {
    MlxSequence fork = openHere();
    try {
      fork.fill(donor, tokens);
      return fork;
    } catch (RuntimeException | Error e) {
      forgetHere(fork);
      throw e;
    }
  }

  void requireOwn(ModelTag tag, KvLayout layout, KvPrecision precision) {
    if (!tag.equals(spec.tag())
        || !layout.equals(spec.kvLayout())
        || precision != spec.kvPrecision()) {
      throw new IllegalArgumentException(
          "A cache of %s (%s) does not belong to %s (%s)"
              .formatted(tag, precision, spec.tag(), spec.kvPrecision()));
    }
  }

  @Override
  public Optional<KvAllocation> allocateKv() {
    // On a GPU arrays are not where the processor's threads could write.
    return session.gpu() ? Optional.empty() : Optional.of(new MlxKvAllocation(this));
  }

  @Override
  public Sequence restore(KvSnapshot snapshot) {
    requireOwn(snapshot.tag(), snapshot.layout(), snapshot.precision());
    return call(
        () -> {
          MlxSequence sequence = openHere();
          try {
            sequence.fill(snapshot);
            return sequence;
          } catch (RuntimeException | Error e) {
            forgetHere(sequence);
            throw e;
          }
        });
  }

  @Override
  public List<float[]> forward(List<Chunk> batch) {
    return call(() -> forwardHere(batch));
  }

  private List<float[]> forwardHere(List<Chunk> batch) {
    boolean decode = batch.stream().allMatch(chunk -> chunk.tokens().length == 1);
    if (!decode) {
      return batch.stream().flatMap(chunk -> pass(List.of(chunk)).stream()).toList();
    }
    Map<Boolean, List<Chunk>> halves =
        batch.stream().collect(Collectors.partitioningBy(chunk -> own(chunk).isLong(1)));
    if (halves.values().stream().anyMatch(List::isEmpty)) {
      return pass(batch);
    }
    IdentityHashMap<Sequence, float[]> logits = new IdentityHashMap<>();
    for (List<Chunk> half : halves.values()) {
      List<float[]> rows = pass(half);
      for (int i = 0; i < half.size(); i++) {
        logits.put(half.get(i).sequence(), rows.get(i));
      }
    }
    return batch.stream().map(chunk -> requireNonNull(logits.get(chunk.sequence()))).toList();
  }

  /** One run through the layers: chunks of equal length, of sequences that are all long or none. */
  private List<float[]> pass(List<Chunk> chunks) {
    Transformer model = transformer();
    List<MlxSequence> members = chunks.stream().map(this::own).toList();
    List<List<KvCache>> caches = members.stream().map(MlxSequence::caches).toList();
    checkTokens(chunks);
    boolean far = members.getFirst().isLong(chunks.getFirst().tokens().length);
    try (Scope s = scope.child("forward")) {
      if (far) {
        members.stream().filter(each -> !each.isFar()).forEach(each -> computeAnew(each, model));
      }
      List<float[]> logits = evaluate(s, model, chunks, caches, far);
      for (int i = 0; i < members.size(); i++) {
        members.get(i).append(chunks.get(i).tokens());
      }
      return logits;
    } catch (RuntimeException | Error e) {
      members.forEach(MlxSequence::recover);
      throw e;
    }
  }

  /** A sequence becomes longer than those that turn as short ones do. */
  private void computeAnew(MlxSequence sequence, Transformer model) {
    int[] held = sequence.tokens();
    sequence.startOver();
    for (int from = 0; from < held.length; from += AT_A_TIME) {
      int[] some = Arrays.copyOfRange(held, from, Math.min(held.length, from + AT_A_TIME));
      try (Scope s = scope.child("computing anew")) {
        evaluate(
            s, model, List.of(new Chunk(sequence, some, false)), List.of(sequence.caches()), true);
      }
    }
  }

  private List<float[]> evaluate(
      Scope s, Transformer model, List<Chunk> chunks, List<List<KvCache>> caches, boolean far) {
    if (chunks.stream().noneMatch(Chunk::logits)) {
      try (Scope graph = s.child("graph")) {
        hidden(graph, model, chunks, caches, far);
      }
      s.eval(
          caches.stream()
              .flatMap(List::stream)
              .flatMap(cache -> Arrays.stream(cache.arrays()))
              .toList());
      return chunks.stream().map(chunk -> new float[0]).toList();
    }
    MlxArray logits;
    try (Scope graph = s.child("graph")) {
      logits = s.keep(lastLogits(graph, model, hidden(graph, model, chunks, caches, far)));
    }
    s.eval(logits);
    return rows(logits.toFloats(), chunks);
  }

  private static MlxArray hidden(
      Scope s, Transformer model, List<Chunk> chunks, List<List<KvCache>> caches, boolean far) {
    int count = chunks.getFirst().tokens().length;
    int[] ids = chunks.stream().flatMapToInt(chunk -> Arrays.stream(chunk.tokens())).toArray();
    return model.hidden(s, s.ints(ids, chunks.size(), count), caches, far);
  }

  private static MlxArray lastLogits(Scope s, Transformer model, MlxArray hidden) {
    int count = hidden.dim(1);
    int[] start = {0, count - 1, 0};
    MlxArray last = count == 1 ? hidden : Ops.slice(s, hidden, start, hidden.shape());
    MlxArray logits = model.logits(s, last);
    return logits.dtype() == DType.FLOAT32 ? logits : Ops.astype(s, logits, DType.FLOAT32);
  }

  private List<float[]> rows(float[] all, List<Chunk> chunks) {
    int width = spec.vocabularySize();
    if (chunks.size() == 1) {
      return List.of(all);
    }
    List<float[]> rows = new ArrayList<>(chunks.size());
    for (int i = 0; i < chunks.size(); i++) {
      rows.add(
          chunks.get(i).logits()
              ? Arrays.copyOfRange(all, i * width, (i + 1) * width)
              : new float[0]);
    }
    return rows;
  }

  private MlxSequence own(Chunk chunk) {
    if (chunk.sequence() instanceof MlxSequence sequence && sequence.model() == this) {
      return sequence;
    }
    throw new IllegalArgumentException(
        "%s is not a sequence of %s".formatted(chunk.sequence(), spec.id()));
  }

  /** MLX gathers without looking: an id outside the table would read foreign memory. */
  private void checkTokens(List<Chunk> chunks) {
    for (Chunk chunk : chunks) {
      if (chunk.tokens().length == 0) {
        throw new IllegalArgumentException("A chunk needs at least one token");
      }
      for (int token : chunk.tokens()) {
        if (token < 0 || token >= spec.vocabularySize()) {
          throw new IllegalArgumentException(
              "Token %d is outside the vocabulary of %s, 0 to %d"
                  .formatted(token, spec.id(), spec.vocabularySize() - 1));
        }
      }
    }
  }

  void forget(MlxSequence sequence) {
    session.owner().run(() -> forgetHere(sequence));
  }

  /** On the owner thread. */
  void forgetHere(MlxSequence sequence) {
    if (sequences.remove(sequence)) {
      sequence.scope().close();
    }
  }

  private Transformer transformer() {
    if (transformer == null) {
      throw new IllegalStateException(spec.id() + " has been unloaded");
    }
    if (scope.isClosed()) {
      throw new IllegalStateException(
          spec.id() + " was unloaded when the runtime was started over or closed; load it again");
    }
    return transformer;
  }

  @Override
  public void close() {
    session
        .owner()
        .run(
            () -> {
              List.copyOf(sequences).forEach(this::forgetHere);
              transformer = null;
              models.remove(scope);
              scope.close();
            });
  }
}
