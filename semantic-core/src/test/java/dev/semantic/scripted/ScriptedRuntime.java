package dev.semantic.scripted;

import dev.semantic.memory.ByteSize;
import dev.semantic.memory.MemoryAllocation;
import dev.semantic.memory.MemoryProbe;
import dev.semantic.model.ModelException;
import dev.semantic.model.ModelId;
import dev.semantic.spi.LoadPriority;
import dev.semantic.spi.LoadProgress;
import dev.semantic.spi.ModelRuntime;
import dev.semantic.spi.PreparedModel;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.UnaryOperator;

/** The scripted models of {@link Geometry}, with an account of everything that is open. */
public final class ScriptedRuntime implements ModelRuntime {
  final Script script;
  final AtomicLong active = new AtomicLong();
  final AtomicLong peak = new AtomicLong();
  final AtomicLong cached = new AtomicLong();
  final AtomicLong computed = new AtomicLong();
  final AtomicLong largestForward = new AtomicLong();
  final AtomicInteger openPrepared = new AtomicInteger();
  final AtomicInteger openModels = new AtomicInteger();
  final AtomicInteger openSequences = new AtomicInteger();
  volatile LoadProgress loading = LoadProgress.NONE;
  volatile boolean readsInPlace = true;
  volatile UnaryOperator<List<float[]>> logits = UnaryOperator.identity();
  volatile boolean countsEach;
  private final Set<Geometry> withoutTemplate = ConcurrentHashMap.newKeySet();
  private final AtomicLong elsewhere = new AtomicLong();
  private final AtomicLong leak = new AtomicLong();
  private final AtomicLong leaked = new AtomicLong();
  private final Map<ModelId, Geometry> installed = new ConcurrentHashMap<>();
  private final List<WeakReference<ScriptedModel>> everLoaded = new ArrayList<>();

  public ScriptedRuntime() {
    this(new Script());
  }

  public ScriptedRuntime(Script script) {
    this.script = script;
  }

  /** So many bytes of every model are far away, until it is fetched. */
  public void putElsewhere(long bytes) {
    elsewhere.set(bytes);
  }

  @Override
  public void fetch(ModelId id, LoadProgress progress) {
    long bytes = elsewhere.get();
    if (bytes > 0) {
      progress.update(bytes / 2, bytes);
      script.visit(PortCall.FETCH);
      if (progress.isCancelled()) {
        throw new CancellationException("Nobody wants " + id + " any more");
      }
      elsewhere.set(0);
      progress.update(bytes, bytes);
    }
  }

  @Override
  public PreparedModel prepare(ModelId id) {
    script.visit(PortCall.PREPARE);
    if (elsewhere.get() > 0) {
      throw new ModelException(ModelException.Kind.NOT_FOUND, id + " has not been fetched");
    }
    Geometry there = installed.get(id);
    if (there != null) {
      return new ScriptedPrepared(this, there);
    }
    for (Geometry geometry : Geometry.values()) {
      if (geometry.id().equals(id)) {
        return new ScriptedPrepared(this, geometry);
      }
    }
    throw new ModelException(ModelException.Kind.NOT_FOUND, "There is no scripted model " + id);
  }

  /** What a forward pass gives passes through this. */
  public void onLogits(UnaryOperator<List<float[]>> change) {
    logits = change;
  }

  /** From now on this is what its name stands for: somebody has exchanged the files. */
  public void install(Geometry geometry) {
    installed.put(geometry.id(), geometry);
  }

  synchronized void born(ScriptedModel model) {
    everLoaded.add(new WeakReference<>(model));
  }

  /** How many of the models that were ever loaded something still refers to. */
  public synchronized int reachableModels() {
    return (int) everLoaded.stream().filter(reference -> !reference.refersTo(null)).count();
  }

  /** From now on this one has no chat template. */
  public void withoutChatTemplate(Geometry geometry) {
    withoutTemplate.add(geometry);
  }

  boolean hasChatTemplate(Geometry geometry) {
    return !withoutTemplate.contains(geometry);
  }

  /** From now on each model knows its own bytes, as where each has a process of its own. */
  public void countsEachModel() {
    countsEach = true;
  }

  /** How urgent the load was that began last. */
  public LoadPriority loadPriority() {
    return loading.priority();
  }

  /** Whether the load that began last is not wanted any more. */
  public boolean isLoadCancelled() {
    return loading.isCancelled();
  }

  /** The next model that is closed leaves so many bytes behind. */
  public void leakOnce(long bytes) {
    leak.set(bytes);
  }

  /** What a model that is closed leaves behind. */
  long takeLeak() {
    long bytes = leak.getAndSet(0);
    leaked.addAndGet(bytes);
    return bytes;
  }

  /** Closes every model, and frees what others have left behind. */
  @Override
  public boolean restart() {
    script.visit(PortCall.RESTART);
    everLoaded().forEach(ScriptedModel::free);
    free(leaked.getAndSet(0));
    return true;
  }

  private synchronized List<ScriptedModel> everLoaded() {
    return everLoaded.stream()
        .map(WeakReference::get)
        .<ScriptedModel>mapMulti(
            (model, those) -> {
              if (model != null) {
                those.accept(model);
              }
            })
        .toList();
  }

  /** Tokens that were computed since the start, over all models. */
  public long computedTokens() {
    return computed.get();
  }

  /** The most tokens that one forward call was given. */
  public long largestForward() {
    return largestForward.get();
  }

  public int openModels() {
    return openModels.get();
  }

  public int openSequences() {
    return openSequences.get();
  }

  public int openPrepared() {
    return openPrepared.get();
  }

  /** Active bytes, asked behind the script's back. */
  public long activeBytes() {
    return active.get();
  }

  /** The most that was ever active, asked behind the script's back. */
  public long peakBytes() {
    return peak.get();
  }

  /** Whether parked caches are read into its memory from now on; else it takes snapshots. */
  public void readsInPlace(boolean inPlace) {
    readsInPlace = inPlace;
  }

  void allocate(long bytes) {
    peak.accumulateAndGet(active.addAndGet(bytes), Math::max);
  }

  void free(long bytes) {
    active.addAndGet(-bytes);
    cached.addAndGet(bytes);
  }

  @Override
  public MemoryProbe memory() {
    return new Probe();
  }

  @Override
  public void close() {}

  private final class Probe implements MemoryProbe {
    @Override
    public long activeBytes() {
      script.visit(PortCall.ACTIVE_BYTES);
      return active.get();
    }

    @Override
    public long cachedBytes() {
      return cached.get();
    }

    @Override
    public long peakBytes() {
      return peak.get();
    }

    @Override
    public void resetPeak() {
      peak.set(active.get());
    }

    @Override
    public List<MemoryAllocation> holdings() {
      long bytes = leaked.get();
      return bytes == 0
          ? List.of()
          : List.of(new MemoryAllocation("alpha", "forgotten", "[1]", new ByteSize(bytes)));
    }

    @Override
    public void releaseCached() {
      script.visit(PortCall.RELEASE_CACHED);
      cached.set(0);
    }
  }
}
