package dev.semantic.mlx.isolated;

import dev.semantic.model.ModelId;
import dev.semantic.scripted.Geometry;
import dev.semantic.spi.ModelRuntime;

/** The protocol, with scripted models at its other end. */
class IsolatedScriptedTest extends IsolatedContract {
  @Override
  protected ModelRuntime open() {
    return IsolatedRuntime.builder().mainClass(ScriptedWorker.class).open();
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
