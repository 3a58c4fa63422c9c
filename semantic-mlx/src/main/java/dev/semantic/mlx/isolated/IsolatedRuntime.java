package dev.semantic.mlx.isolated;

import dev.semantic.memory.ByteSize;
import dev.semantic.memory.MemoryBudget;
import dev.semantic.memory.MemoryProbe;
import dev.semantic.mlx.models.FetchProgress;
import dev.semantic.mlx.models.ModelFetcher;
import dev.semantic.model.ModelId;
import dev.semantic.spi.LoadProgress;
import dev.semantic.spi.ModelRuntime;
import dev.semantic.spi.PreparedModel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Models in MLX, each in a process of its own: whatever native code does there, this JVM survives
 * it. A process that dies is a call that fails, with how it ended; the next request, or the way
 * back of a swap, starts another one. Unloading a model ends its process, so that all of its memory
 * is the kernel's again. No process outlives this one. Any thread.
 *
 * <p>Needs Unix sockets: Linux and macOS.
 */
public final class IsolatedRuntime implements ModelRuntime {
  private final WorkerOptions options;
  private final boolean fetching;
  private final Set<WorkerProcess> children = ConcurrentHashMap.newKeySet();
  private volatile boolean closed;

  private IsolatedRuntime(WorkerOptions options, boolean fetching) {
    this.options = options;
    this.fetching = fetching;
  }

  /** A runtime with everything as usual. Starts no process yet. */
  public static IsolatedRuntime open() {
    return builder().open();
  }

  public static Builder builder() {
    return new Builder();
  }

  /** Starts a process for a model. */
  WorkerProcess start(String model) {
    if (closed) {
      throw new IllegalStateException("The runtime is closed");
    }
    WorkerProcess worker = new WorkerProcess(options, model, children::remove);
    children.add(worker);
    if (closed || !worker.isAlive()) { // in the meantime
      children.remove(worker);
      worker.close();
    }
    return worker;
  }

  List<WorkerProcess> children() {
    return List.copyOf(children);
  }

  /** In this process; the models' own read what is here. */
  @Override
  public void fetch(ModelId id, LoadProgress progress) {
    if (fetching) {
      ModelFetcher.ofUser().fetchIfMissing(id, FetchProgress.of(progress));
    }
  }

  @Override
  public PreparedModel prepare(ModelId id) {
    return new IsolatedPrepared(this, id);
  }

  @Override
  public MemoryProbe memory() {
    return new WorkersMemory(this::children);
  }

  /** What it was built with. */
  @Override
  public MemoryBudget budget() {
    return options.budget();
  }

  /** Ends every process; prepared models start theirs again when they are loaded. */
  @Override
  public boolean restart() {
    children().forEach(WorkerProcess::close);
    return true;
  }

  /** Ends every process. */
  @Override
  public void close() {
    closed = true;
    children().forEach(WorkerProcess::close);
  }

  /** Puts a runtime together. */
  public static final class Builder {
    private Path java = Path.of(System.getProperty("java.home"), "bin", "java");
    private ByteSize heap = ByteSize.ofGiB(1);
    private Duration startTimeout = Duration.ofSeconds(60);
    private Duration patience = Duration.ofSeconds(60);
    private final List<String> javaOptions = new ArrayList<>();
    private MemoryBudget budget = MemoryBudget.ofSystem();
    private final List<Path> classPath = new ArrayList<>();
    private Class<?> mainClass = WorkerMain.class;

    private Builder() {}

    /** The {@code java} that runs the processes; without, the one that runs this JVM. */
    public Builder java(Path value) {
      java = value;
      return this;
    }

    /** The Java heap of each process; weights and caches are not in it. Without, 1 GiB. */
    public Builder heap(ByteSize value) {
      heap = value;
      return this;
    }

    /**
     * The memory for which each process chooses the form that it computes a model in; a registry
     * that is given no budget has the same. Without, three quarters of the machine's.
     */
    public Builder budget(MemoryBudget value) {
      budget = value;
      return this;
    }

    /** How long a process may take to start; without, a minute. */
    public Builder startTimeout(Duration value) {
      startTimeout = value;
      return this;
    }

    /**
     * How long a process may be silent before it counts as hung and is ended; without, a minute. A
     * long prompt or load is not silence.
     */
    public Builder patience(Duration value) {
      patience = value;
      return this;
    }

    /** One more option of the processes' JVM. */
    public Builder javaOption(String value) {
      javaOptions.add(value);
      return this;
    }

    /**
     * One more jar or directory in which the processes look for classes. Without any they have the
     * class or module path of this JVM; where a host brings a class loader of its own (an
     * executable jar, a web application), the jars that semantic's classes are found to come from,
     * those within another jar unpacked into the user's cache. With any, these and no others.
     */
    public Builder classPath(Path value) {
      classPath.add(value);
      return this;
    }

    /** For tests: another main class, with another runtime. */
    Builder mainClass(Class<?> value) {
      mainClass = value;
      return this;
    }

    public IsolatedRuntime open() {
      return new IsolatedRuntime(
          new WorkerOptions(
              java,
              heap,
              startTimeout,
              patience,
              budget,
              List.copyOf(javaOptions),
              List.copyOf(classPath),
              mainClass),
          mainClass == WorkerMain.class); // another one knows other models
    }
  }
}
