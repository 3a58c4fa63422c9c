package dev.semantic.mlx.isolated;

import dev.semantic.mlx.isolated.Wire.Received;
import dev.semantic.mlx.isolated.Wire.Reply;
import dev.semantic.model.ModelException;
import dev.semantic.model.ModelId;
import dev.semantic.model.ModelSpec;
import dev.semantic.spi.LoadProgress;
import dev.semantic.spi.LoadedModel;
import dev.semantic.spi.PreparedModel;
import dev.semantic.spi.TextCodec;
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
  private Child child;
  private @Nullable Child occupied; // by a loaded model, which ends it
  private volatile boolean closed;

  IsolatedPrepared(IsolatedRuntime runtime, ModelId id) {
    this.runtime = runtime;
    this.id = id;
    this.child = runtime.start(id.name());
    try {
      Answer.Prepared prepared = prepareIn(child);
      this.spec = prepared.spec();
      this.text = new IsolatedText(this::child, this::living, prepared);
    } catch (Throwable t) {
      child.close();
      throw t;
    }
  }

  private Answer.Prepared prepareIn(Child where) {
    return where.ask(new Ask.Prepare(id.name()), Answer.Prepared.class);
  }

  private Child another() {
    Child next = runtime.start(id.name());
    try {
      Answer.Prepared again = prepareIn(next);
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
  private synchronized Child child() {
    requireOpen();
    if (!child.isAlive()) {
      child = another();
    }
    return child;
  }

  /** The same, if there is one. */
  private synchronized Optional<Child> living() {
    return Optional.of(child).filter(here -> here.isAlive() && !closed);
  }

  /** The same, with no model loaded in it; whoever takes it ends it. */
  private synchronized Child vacant() {
    Child here = child();
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
  public TextCodec text() {
    return text;
  }

  @Override
  public void readAhead(LoadProgress progress) {
    child().ask(new Ask.ReadAhead(progress.priority()), List.of(), progress);
  }

  @Override
  public LoadedModel load(LoadProgress progress) {
    return new IsolatedModel(this, loadSomewhere(progress));
  }

  /** A process with the model in memory. */
  record Loaded(Child child, long bytes) {}

  /** Loads in a process that has no model yet. */
  Loaded loadSomewhere(LoadProgress progress) {
    requireWanted(progress);
    Child where = vacant();
    try {
      Received<Reply> answer = where.ask(new Ask.Load(progress.priority()), List.of(), progress);
      requireWanted(progress);
      return new Loaded(where, Child.type(answer, Answer.Count.class).value());
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
    synchronized (this) {
      if (child != occupied) {
        child.close();
      }
    }
  }
}
