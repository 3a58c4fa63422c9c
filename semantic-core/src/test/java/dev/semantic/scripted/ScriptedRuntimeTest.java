package dev.semantic.scripted;

import dev.semantic.contract.SharingContract;
import dev.semantic.model.ModelId;
import dev.semantic.spi.ModelRuntime;

/** The scripted runtime is as good as a real one. */
class ScriptedRuntimeTest extends SharingContract {
  @Override
  protected ModelRuntime open() {
    return new ScriptedRuntime();
  }

  @Override
  protected ModelId first() {
    return Geometry.ALPHA.id();
  }

  @Override
  protected ModelId second() {
    return Geometry.GAMMA.id();
  }
}
