package dev.semantic.scripted;

import dev.semantic.model.ModelSpec;
import dev.semantic.spi.LoadProgress;
import dev.semantic.spi.LoadedModel;
import dev.semantic.spi.PreparedModel;
import dev.semantic.spi.Tokenizer;
import java.util.concurrent.CancellationException;

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
    return model.spec(runtime.hasChatTemplate(model));
  }

  @Override
  public Tokenizer text() {
    checkOpen();
    runtime.script.visit(PortCall.TEXT);
    return new ScriptedText(model, runtime.script, runtime.hasChatTemplate(model));
  }

  @Override
  public LoadedModel load(LoadProgress progress) {
    checkOpen();
    runtime.loading = progress;
    progress.update(model.bytes() / 2, model.bytes());
    runtime.script.visit(PortCall.LOAD);
    requireWanted(progress);
    ScriptedModel loaded = new ScriptedModel(runtime, model);
    progress.update(model.bytes(), model.bytes());
    return loaded;
  }

  @Override
  public void readAhead(LoadProgress progress) {
    checkOpen();
    progress.update(model.bytes() / 2, model.bytes());
    runtime.script.visit(PortCall.READ_AHEAD);
    requireWanted(progress);
    progress.update(model.bytes(), model.bytes());
  }

  private void requireWanted(LoadProgress progress) {
    if (progress.isCancelled()) {
      throw new CancellationException("Nobody wants " + model.id() + " any more");
    }
  }

  private synchronized void checkOpen() {
    if (closed) {
      throw new IllegalStateException("The prepared " + model.id() + " was closed");
    }
  }

  private synchronized boolean markClosed() {
    boolean open = !closed;
    closed = true;
    return open;
  }

  @Override
  public void close() {
    if (markClosed()) {
      runtime.openPrepared.decrementAndGet();
      runtime.script.visit(PortCall.PREPARED_CLOSE);
    }
  }
}
