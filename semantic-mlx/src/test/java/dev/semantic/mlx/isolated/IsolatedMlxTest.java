package dev.semantic.mlx.isolated;

import dev.semantic.mlx.testing.RequiresModels;
import dev.semantic.model.ModelId;
import dev.semantic.spi.ModelRuntime;

/** The real models, each in a process of its own. */
@RequiresModels
class IsolatedMlxTest extends IsolatedContract {
  @Override
  protected ModelRuntime open() {
    return IsolatedRuntime.open();
  }

  @Override
  protected ModelId first() {
    return new ModelId("smollm2-135m-instruct");
  }

  @Override
  protected ModelId second() {
    return new ModelId("gemma-3-270m");
  }
}
