package dev.semantic.scripted;

import dev.semantic.model.ModelSpec;
import dev.semantic.spi.LoadProgress;
import dev.semantic.spi.LoadedModel;
import dev.semantic.spi.PreparedModel;
import dev.semantic.spi.TextCodec;

/** A scripted model that was found. */
final class ScriptedPrepared implements PreparedModel {
  private final ScriptedRuntime runtime;
  private final Geometry model;
  private boolean closed;

  ScriptedPrepared(ScriptedRuntime runtime, Geometry model) {
    this.runtime = runtime;
    this.model = model;
    runtime.openPrepared.incrementAndGet();
  }

  @Override
  public ModelSpec spec() {
    return model.spec();
  }

  @Override
  public TextCodec text() {
    checkOpen();
    runtime.script.visit(PortCall.TEXT);
    return new ScriptedText(model, runtime.script);
  }

  @Override
  public LoadedModel load(LoadProgress progress) {
    checkOpen();
    progress.update(model.bytes() / 2, model.bytes());
    runtime.script.visit(PortCall.LOAD);
    ScriptedModel loaded = new ScriptedModel(runtime, model);
    progress.update(model.bytes(), model.bytes());
    return loaded;
  }

  private synchronized void checkOpen() {
    if (closed) {
      throw new IllegalStateException("The prepared " + model.id() + " was closed");
    }
  }

  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      runtime.openPrepared.decrementAndGet();
      runtime.script.visit(PortCall.PREPARED_CLOSE);
    }
  }
}
