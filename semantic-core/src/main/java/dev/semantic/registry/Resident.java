package dev.semantic.registry;

import dev.semantic.memory.ByteSize;
import dev.semantic.model.ModelSpec;
import dev.semantic.spi.LoadedModel;
import dev.semantic.spi.PreparedModel;
import org.jspecify.annotations.Nullable;

/** A model of this registry: prepared for good, loaded for as long as it serves. */
final class Resident {
  private final PreparedModel prepared;
  private @Nullable LoadedModel loaded;
  private ByteSize size = ByteSize.ZERO;

  Resident(PreparedModel prepared) {
    this.prepared = prepared;
  }

  ModelSpec spec() {
    return prepared.spec();
  }

  PreparedModel prepared() {
    return prepared;
  }

  boolean isLoaded() {
    return loaded != null;
  }

  LoadedModel loaded() {
    if (loaded == null) {
      throw new IllegalStateException(spec().id() + " is not loaded");
    }
    return loaded;
  }

  /** How much active memory the load took. */
  ByteSize size() {
    return size;
  }

  void setLoaded(LoadedModel model) {
    loaded = model;
    size = new ByteSize(model.bytes());
  }

  /** Lets go of the weights; the reference is gone even if closing fails. */
  void unload() {
    LoadedModel leaving = loaded;
    loaded = null;
    if (leaving != null) {
      leaving.close();
    }
  }
}
