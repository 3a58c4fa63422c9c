package dev.semantic.registry;

import dev.semantic.log.Log;
import dev.semantic.memory.ByteSize;
import dev.semantic.model.ModelSpec;
import dev.semantic.spi.LoadedModel;
import dev.semantic.spi.PreparedModel;
import org.jspecify.annotations.Nullable;

/** A model of this registry: prepared for good, loaded for as long as it serves. */
final class ManagedModel {
  private static final Log LOG = Log.of(ManagedModel.class);

  private final PreparedModel prepared;
  private @Nullable LoadedModel loaded;
  private boolean filesClosed;
  private int kept; // how often, although an unload had been asked for
  private ByteSize size = ByteSize.ZERO;

  ManagedModel(PreparedModel prepared) {
    this.prepared = prepared;
  }

  ModelSpec spec() {
    return prepared.spec();
  }

  PreparedModel prepared() {
    return prepared;
  }

  synchronized boolean isLoaded() {
    return loaded != null;
  }

  synchronized LoadedModel loaded() {
    if (loaded == null) {
      throw new IllegalStateException(spec().id() + " is not loaded");
    }
    return loaded;
  }

  /** How much active memory the load took. */
  synchronized ByteSize size() {
    return size;
  }

  synchronized void setLoaded(LoadedModel model) {
    loaded = model;
    size = new ByteSize(model.bytes());
  }

  /** Lets go of its files, once, even if that fails. */
  void closeFiles() {
    synchronized (this) {
      if (filesClosed) {
        return;
      }
      filesClosed = true;
    }
    prepared.close();
  }

  /** Lets go of the weights; the reference is gone even if closing fails. */
  void unload() {
    unload(kept());
  }

  /** For an unload that is asked for now. */
  synchronized int kept() {
    return kept;
  }

  /**
   * Unloads that were asked for before do nothing any more, unless they have begun: a step that
   * comes back too late must not close a model that serves again.
   */
  synchronized void keep() {
    kept++;
  }

  /** The same, unless it was kept since. */
  void unload(int keptBefore) {
    LoadedModel leaving = take(keptBefore);
    if (leaving != null) {
      leaving.close();
    }
  }

  /**
   * Closes what may still be loaded of it, and its files, as well as that goes.
   *
   * @throws OutOfMemoryError if it may not have been begun for want of memory
   */
  void letGo(StepRunner stepRunner) {
    attempt(stepRunner, "unloading " + spec().id(), this::unload);
    attempt(stepRunner, "closing the files of " + spec().id(), this::closeFiles);
  }

  private static void attempt(StepRunner stepRunner, String what, Runnable action) {
    try {
      stepRunner.run(what, action);
    } catch (OutOfMemoryError e) {
      throw e;
    } catch (Throwable t) { // which must not keep the rest from being done
      LOG.warn("Failed while {}", what, t);
    }
  }

  private synchronized @Nullable LoadedModel take(int keptBefore) {
    if (keptBefore != kept) {
      return null;
    }
    LoadedModel leaving = loaded;
    loaded = null;
    return leaving;
  }
}
