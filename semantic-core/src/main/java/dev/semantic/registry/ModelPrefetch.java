package dev.semantic.registry;

import dev.semantic.log.Log;
import dev.semantic.memory.ByteSize;
import dev.semantic.model.ModelException;
import dev.semantic.model.ModelId;
import dev.semantic.model.ModelSpec;
import dev.semantic.spi.LoadPriority;
import dev.semantic.spi.LoadProgress;
import dev.semantic.spi.ModelRuntime;
import dev.semantic.spi.PreparedModel;
import dev.semantic.timeline.Monitor;
import dev.semantic.timeline.ThreadFrame;
import dev.semantic.timeline.ThreadHandle;
import dev.semantic.timeline.Timeline;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;

/**
 * A model being made ready in the background, while another one serves: fetched if it is elsewhere,
 * found, checked whole, and read into the system's page cache, so that the swap to it has little
 * left to wait for. Any thread.
 */
public final class ModelPrefetch {
  private final ModelId model;
  private final Monitor monitor;
  private final ThreadHandle thread;
  private volatile boolean cancelled;
  private volatile long done;
  private volatile long total;
  private @Nullable ModelSpec spec;
  private @Nullable Throwable failure;
  private boolean ended;

  ModelPrefetch(Timeline timeline, ModelRuntime runtime, ModelId model) {
    this.model = model;
    this.monitor = timeline.monitor();
    this.thread = ThreadFrame.once(timeline, "semantic-prepare " + model, new Task(runtime));
  }

  private final class Task implements ThreadFrame.Work {
    private final ModelRuntime runtime;
    private @Nullable ModelSpec found;

    private Task(ModelRuntime runtime) {
      this.runtime = runtime;
    }

    @Override
    public void run() {
      runtime.fetch(model, new Progress());
      requireWanted();
      found = check(runtime);
    }

    @Override
    public void ended(@Nullable Throwable thrown) {
      monitor.lock();
      try {
        spec = thrown == null ? found : null;
        failure = thrown;
        ended = true;
        monitor.signalAll();
      } finally {
        monitor.unlock();
      }
    }
  }

  private ModelSpec check(ModelRuntime runtime) {
    try (PreparedModel prepared = runtime.prepare(model)) {
      prepared.readAhead(new Progress());
      requireWanted();
      prepared.text(); // whether it can be made
      requireWanted();
      return prepared.spec();
    }
  }

  private void requireWanted() {
    if (cancelled) {
      throw new CancellationException("Preparing " + model + " was cancelled");
    }
  }

  private final class Progress implements LoadProgress {
    @Override
    public void update(long doneBytes, long totalBytes) {
      total = totalBytes;
      done = doneBytes;
    }

    @Override
    public boolean isCancelled() {
      return cancelled;
    }

    @Override
    public LoadPriority priority() {
      return LoadPriority.BACKGROUND;
    }
  }

  public ModelId model() {
    return model;
  }

  /** How much of its files is fetched, and after that how much is read ahead. */
  public ByteSize done() {
    return new ByteSize(done);
  }

  /** How much there is to fetch, and after that to read; zero until that is known. */
  public ByteSize total() {
    return new ByteSize(total);
  }

  /** Whether it has ended, well or not. */
  public boolean isDone() {
    monitor.lock();
    try {
      return ended;
    } finally {
      monitor.unlock();
    }
  }

  /**
   * Ends it as soon as that is possible; whoever awaits it gets a {@link CancellationException}.
   */
  public void cancel() {
    cancelled = true;
    if (!isDone()) {
      thread.interrupt();
    }
  }

  /**
   * Waits for the end.
   *
   * @return what was found
   * @throws ModelException if the model cannot be loaded
   * @throws CancellationException if it was cancelled
   */
  public ModelSpec await() throws InterruptedException {
    monitor.lock();
    try {
      while (!ended) {
        monitor.await();
      }
      if (spec != null) {
        return spec;
      }
      requireWanted();
      Throwable cause = Objects.requireNonNull(failure, "ended for no reason");
      throw cause instanceof ModelException known
          ? known
          : new ModelException(
              ModelException.Kind.of(cause),
              "%s cannot be prepared: %s".formatted(model, Log.reason(cause)),
              cause);
    } finally {
      monitor.unlock();
    }
  }
}
