package dev.semantic.mlx.isolated;

import dev.semantic.mlx.isolated.FrameCodec.Received;
import dev.semantic.mlx.isolated.FrameCodec.Reply;
import dev.semantic.model.ModelException;
import dev.semantic.model.ModelId;
import dev.semantic.model.ModelSpec;
import dev.semantic.spi.Detokenizer;
import dev.semantic.spi.LoadProgress;
import dev.semantic.spi.LoadedModel;
import dev.semantic.spi.PreparedModel;
import dev.semantic.spi.Tokenizer;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;

/** A model that was found good in a process of its own; if that ends, in another one again. */
final class IsolatedPrepared implements PreparedModel {
  private final IsolatedRuntime runtime;
  private final ModelId id;
  private final ModelSpec spec;
  private final IsolatedText text;
  private WorkerProcess worker;
  private @Nullable WorkerProcess occupied; // by a loaded model, which ends it
  private volatile boolean closed;

  IsolatedPrepared(IsolatedRuntime runtime, ModelId id) {
    this.runtime = runtime;
    this.id = id;
    this.worker = runtime.start(id.name());
    try {
      Received<Reply> answer = prepareIn(worker);
      Response.Prepared prepared = WorkerProcess.type(answer, Response.Prepared.class);
      this.spec = prepared.spec();
      Detokenizer detokenizer = Texts.of(prepared, answer.parts());
      this.text = new IsolatedText(this::child, this::living, prepared, detokenizer);
    } catch (Throwable t) {
      worker.close();
      throw t;
    }
  }

  private Received<Reply> prepareIn(WorkerProcess where) {
    return where.ask(new Request.Prepare(id.name()), List.of(), LoadProgress.NONE);
  }

  private WorkerProcess another() {
    WorkerProcess next = runtime.start(id.name());
    try {
      Response.Prepared again = WorkerProcess.type(prepareIn(next), Response.Prepared.class);
      if (!again.spec().tag().equals(spec.tag())) {
        throw new ModelException(
            ModelException.Kind.CHANGED,
            "%s has become another model: it was %s, and is %s"
                .formatted(id, spec.tag(), again.spec().tag()));
      }
      requireOpen();
      return next;
    } catch (Throwable t) {
      next.close();
      throw t;
    }
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("The prepared " + id + " was closed");
    }
  }

  /** A living process that has the model prepared. */
  private synchronized WorkerProcess child() {
    requireOpen();
    if (!worker.isAlive()) {
      worker = another();
    }
    return worker;
  }

  /** The same, if there is one. */
  private synchronized Optional<WorkerProcess> living() {
    return Optional.of(worker).filter(here -> here.isAlive() && !closed);
  }

  /** The same, with no model loaded in it; whoever takes it ends it. */
  private synchronized WorkerProcess vacant() {
    WorkerProcess here = child();
    if (here == occupied) {
      return another();
    }
    occupied = here;
    return here;
  }

  @Override
  public ModelSpec spec() {
    return spec;
  }

  @Override
  public Tokenizer text() {
    return text;
  }

  @Override
  public void readAhead(LoadProgress progress) {
    child().ask(new Request.ReadAhead(progress.priority()), List.of(), progress);
  }

  @Override
  public LoadedModel load(LoadProgress progress) {
    return new IsolatedModel(this, loadSomewhere(progress));
  }

  /** A process with the model in memory. */
  record Loaded(WorkerProcess worker, long bytes) {}

  /** Loads in a process that has no model yet. */
  Loaded loadSomewhere(LoadProgress progress) {
    requireWanted(progress);
    WorkerProcess where = vacant();
    try {
      Received<Reply> answer =
          where.ask(new Request.Load(progress.priority()), List.of(), progress);
      requireWanted(progress);
      return new Loaded(where, WorkerProcess.type(answer, Response.Count.class).value());
    } catch (Throwable t) {
      where.close(); // nothing of a load that failed may stay
      throw t;
    }
  }

  private void requireWanted(LoadProgress progress) {
    if (progress.isCancelled()) {
      throw new CancellationException("Nobody wants " + id + " any more");
    }
  }

  /** Ends the process, unless a loaded model still needs it. */
  @Override
  public void close() {
    closed = true;
    text.close();
    synchronized (this) {
      if (worker != occupied) {
        worker.close();
      }
    }
  }
}
