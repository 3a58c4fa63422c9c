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
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;

/** A model that was found good in a process of its own; if that ends, in another one again. */
final class IsolatedPrepared implements PreparedModel {
  private final IsolatedRuntime runtime;
  private final ModelId id;
  private final ModelSpec spec;
  private final IsolatedText text;
  private @Nullable Child child;
  private boolean closed;

  IsolatedPrepared(IsolatedRuntime runtime, ModelId id) {
    this.runtime = runtime;
    this.id = id;
    Child first = runtime.start(id.name());
    try {
      Answer.Prepared prepared = prepareIn(first);
      this.spec = prepared.spec();
      this.text = new IsolatedText(this::child, prepared);
      this.child = first;
    } catch (Throwable t) {
      first.close();
      throw t;
    }
  }

  private Answer.Prepared prepareIn(Child where) {
    Received<Reply> answer =
        where.askAtLength(new Ask.Prepare(id.name()), List.of(), LoadProgress.NONE);
    return Child.type(answer.header().answer(), Answer.Prepared.class);
  }

  /** A living process that has the model prepared. */
  synchronized Child child() {
    if (closed) {
      throw new IllegalStateException("The prepared " + id + " was closed");
    }
    Child present = child;
    if (present != null && present.isAlive()) {
      return present;
    }
    Child next = runtime.start(id.name());
    try {
      Answer.Prepared again = prepareIn(next);
      if (!again.spec().tag().equals(spec.tag())) {
        throw new ModelException(
            "%s has become another model: it was %s, and is %s"
                .formatted(id, spec.tag(), again.spec().tag()));
      }
    } catch (Throwable t) {
      next.close();
      throw t;
    }
    child = next;
    return next;
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
    child().askAtLength(new Ask.ReadAhead(progress.isBackground()), List.of(), watched(progress));
  }

  @Override
  public LoadedModel load(LoadProgress progress) {
    return new IsolatedModel(this, progress);
  }

  /** Loads into a living process. */
  Loaded loadInto(LoadProgress progress) {
    if (progress.isCancelled()) {
      throw new CancellationException("Loading " + id + " was cancelled");
    }
    Child where = child();
    try {
      Received<Reply> answer =
          where.askAtLength(new Ask.Load(progress.isBackground()), List.of(), watched(progress));
      long bytes = Child.type(answer.header().answer(), Answer.Count.class).value();
      return new Loaded(where, bytes);
    } catch (Throwable t) {
      where.close(); // nothing of a load that failed may stay
      throw t;
    }
  }

  /** A process with the model in memory. */
  record Loaded(Child child, long bytes) {}

  /** Never {@link LoadProgress#NONE}, which nobody can cancel. */
  private static LoadProgress watched(LoadProgress progress) {
    return progress;
  }

  @Override
  public synchronized void close() {
    closed = true;
    Child present = child;
    child = null;
    if (present != null) {
      present.close();
    }
  }
}
