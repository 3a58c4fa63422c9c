package dev.semantic.scripted;

import dev.semantic.kv.KvSnapshot;
import dev.semantic.kv.KvSnapshot.LayerKv;
import dev.semantic.kv.KvSnapshotHeader;
import dev.semantic.model.KvLayout;
import dev.semantic.model.KvPrecision;
import dev.semantic.model.ModelSpec;
import dev.semantic.model.ModelTag;
import dev.semantic.spi.KvAllocation;
import dev.semantic.spi.LoadedModel;
import dev.semantic.spi.Sequence;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * A scripted model in memory. Refuses what its port forbids: two threads at once, use after close,
 * a foreign snapshot.
 */
final class ScriptedModel implements LoadedModel {
  private final ScriptedRuntime runtime;
  private final Geometry model;
  private final AtomicBoolean busy = new AtomicBoolean();
  private final Set<ScriptedSequence> open = new HashSet<>();
  private final Set<ScriptedVacancy> vacancies = ConcurrentHashMap.newKeySet();
  private volatile boolean closed;

  ScriptedModel(ScriptedRuntime runtime, Geometry model) {
    this.runtime = runtime;
    this.model = model;
    runtime.allocate(model.bytes());
    runtime.openModels.incrementAndGet();
    runtime.born(this);
  }

  @Override
  public ModelSpec spec() {
    return model.spec();
  }

  @Override
  public Sequence open() {
    return alone(PortCall.OPEN, () -> register(new ScriptedSequence(new KvState(model))));
  }

  @Override
  public Sequence restore(KvSnapshot snapshot) {
    requireOwn(snapshot.tag(), snapshot.layout(), snapshot.precision());
    return alone(
        PortCall.RESTORE, () -> register(new ScriptedSequence(new KvState(model, snapshot))));
  }

  private void requireOwn(ModelTag tag, KvLayout layout, KvPrecision precision) {
    if (!tag.equals(model.tag())
        || !layout.equals(model.layout())
        || precision != model.spec().kvPrecision()) {
      throw new IllegalArgumentException("A cache of " + tag + ", not of " + model.tag());
    }
  }

  @Override
  public Optional<KvAllocation> allocateKv() {
    return runtime.readsInPlace ? Optional.of(new ScriptedVacancy()) : Optional.empty();
  }

  private ScriptedSequence register(ScriptedSequence sequence) {
    open.add(sequence);
    runtime.openSequences.incrementAndGet();
    runtime.allocate(sequence.state.bytes());
    return sequence;
  }

  @Override
  public List<float[]> forward(List<Chunk> batch) {
    return alone(PortCall.FORWARD, () -> forwardAlone(batch));
  }

  private List<float[]> forwardAlone(List<Chunk> batch) {
    Set<Sequence> seen = new HashSet<>();
    List<float[]> logits = new ArrayList<>();
    int tokens = 0;
    for (Chunk chunk : batch) {
      ScriptedSequence sequence = (ScriptedSequence) chunk.sequence();
      if (!seen.add(sequence) || chunk.tokens().length == 0 || !open.contains(sequence)) {
        throw new IllegalArgumentException("Not a batch: " + batch);
      }
      long before = sequence.state.bytes();
      sequence.state.append(chunk.tokens());
      runtime.allocate(sequence.state.bytes() - before);
      tokens += chunk.tokens().length;
      logits.add(chunk.logits() ? logits(sequence.state.next()) : new float[0]);
    }
    runtime.computed.addAndGet(tokens);
    runtime.largestForward.accumulateAndGet(tokens, Math::max);
    return runtime.logits.apply(logits);
  }

  private static float[] logits(int best) {
    float[] logits = new float[Geometry.VOCABULARY];
    logits[best] = 20;
    return logits;
  }

  @Override
  public synchronized OptionalLong activeBytes() {
    return runtime.countsEach ? OptionalLong.of(closed ? 0 : model.bytes()) : OptionalLong.empty();
  }

  @Override
  public void close() {
    if (free()) {
      runtime.script.visit(PortCall.MODEL_CLOSE);
    }
  }

  /** Gives the memory back; false if that was done before. */
  synchronized boolean free() {
    if (closed) {
      return false;
    }
    List.copyOf(open).forEach(ScriptedSequence::free);
    List.copyOf(vacancies).forEach(ScriptedVacancy::free);
    closed = true;
    runtime.free(model.bytes() - runtime.takeLeak());
    runtime.openModels.decrementAndGet();
    return true;
  }

  /** One thread at a time, and only while open. */
  private <T> T alone(PortCall call, java.util.function.Supplier<T> work) {
    if (!busy.compareAndSet(false, true)) {
      throw new IllegalStateException(model.id() + " is used by two threads at once");
    }
    try {
      if (closed) {
        throw new IllegalStateException(model.id() + " was closed");
      }
      runtime.script.visit(call);
      return work.get();
    } finally {
      busy.set(false);
    }
  }

  /** Heads do not lie side by side in it, as in a real one. */
  private final class ScriptedVacancy implements KvAllocation {
    private static final int GAP = 24;
    private final AtomicBoolean taken = new AtomicBoolean();
    private final AtomicBoolean gone = new AtomicBoolean();
    private final List<KvBuffers> places = new ArrayList<>();
    private @Nullable KvSnapshotHeader header;
    private long bytes;

    @Override
    public Optional<List<KvBuffers>> buffers(KvSnapshotHeader wanted) {
      requireOwn(wanted.tag(), wanted.layout(), wanted.precision());
      runtime.script.visit(PortCall.PLACES);
      synchronized (ScriptedModel.this) {
        if (closed || header != null || gone.get()) {
          throw new IllegalStateException(model.id() + " was closed, or this is filled already");
        }
        header = wanted;
        bytes = new KvState(model, snapshot(true)).bytes();
        vacancies.add(this);
        runtime.allocate(bytes);
      }
      for (int layer = 0; layer < wanted.starts().size(); layer++) {
        int stride = perHead(layer) + GAP;
        int all = stride * model.layout().layers().get(layer).kvHeads();
        places.add(new KvBuffers(ByteBuffer.allocate(all), ByteBuffer.allocate(all), stride));
      }
      return Optional.of(List.copyOf(places));
    }

    private KvSnapshotHeader outline() {
      return Objects.requireNonNull(header, "nothing was placed");
    }

    private int perHead(int layer) {
      int row = model.layout().layers().get(layer).headDim() * outline().precision().bytes();
      return outline().length(layer) * row;
    }

    private KvSnapshot snapshot(boolean empty) {
      KvSnapshotHeader held = outline();
      List<LayerKv> layers = new ArrayList<>();
      for (int layer = 0; layer < held.starts().size(); layer++) {
        int heads = model.layout().layers().get(layer).kvHeads();
        ByteBuffer keys = ByteBuffer.allocate(heads * perHead(layer));
        ByteBuffer values = ByteBuffer.allocate(heads * perHead(layer));
        for (int head = 0; head < heads && !empty; head++) {
          int first = head * places.get(layer).headStride();
          keys.put(places.get(layer).keys().slice(first, perHead(layer)));
          values.put(places.get(layer).values().slice(first, perHead(layer)));
        }
        int start = held.starts().get(layer);
        layers.add(new LayerKv(start, held.length(layer), keys.rewind(), values.rewind()));
      }
      return new KvSnapshot(held.tag(), held.layout(), held.precision(), held.tokens(), layers);
    }

    @Override
    public Sequence commit() {
      return alone(
          PortCall.OCCUPY,
          () -> {
            if (header == null || taken.get()) {
              throw new IllegalStateException("Nothing was read into this");
            }
            KvState state = new KvState(model, snapshot(false));
            free();
            return register(new ScriptedSequence(state));
          });
    }

    private void free() {
      if (vacancies.remove(this) && taken.compareAndSet(false, true)) {
        runtime.free(bytes);
      }
    }

    @Override
    public void close() {
      synchronized (ScriptedModel.this) {
        gone.set(true);
        free();
      }
    }
  }

  private final class ScriptedSequence implements Sequence {
    private final KvState state;
    private boolean freed;

    private ScriptedSequence(KvState state) {
      this.state = state;
    }

    private void checkOpen() {
      if (freed) {
        throw new IllegalStateException("A sequence of " + model.id() + " was closed");
      }
    }

    @Override
    public int[] tokens() {
      checkOpen();
      return state.tokens();
    }

    @Override
    public int length() {
      checkOpen();
      return state.length();
    }

    @Override
    public boolean trim(int length) {
      checkOpen();
      return alone(
          PortCall.TRIM,
          () -> {
            long before = state.bytes();
            boolean exact = state.trim(length);
            runtime.free(before - state.bytes());
            return exact;
          });
    }

    @Override
    public Optional<Sequence> fork(int tokens) {
      checkOpen();
      if (tokens < 1 || tokens > state.length()) {
        throw new IllegalArgumentException(state.length() + " tokens, not " + tokens);
      }
      return alone(
          PortCall.OPEN,
          () -> state.fork(tokens).map(fork -> register(new ScriptedSequence(fork))));
    }

    @Override
    public long bytes() {
      checkOpen();
      return state.bytes();
    }

    @Override
    public KvSnapshot snapshot() {
      checkOpen();
      return alone(PortCall.SNAPSHOT, state::snapshot);
    }

    private void free() {
      if (!freed) {
        freed = true;
        open.remove(this);
        runtime.openSequences.decrementAndGet();
        runtime.free(state.bytes());
      }
    }

    @Override
    public void close() {
      if (!freed) {
        free();
        runtime.script.visit(PortCall.SEQUENCE_CLOSE);
      }
    }
  }
}
