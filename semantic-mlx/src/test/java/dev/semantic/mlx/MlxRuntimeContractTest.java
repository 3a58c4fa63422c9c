package dev.semantic.mlx;

import dev.semantic.contract.ModelRuntimeContract;
import dev.semantic.mlx.testing.RequiresModels;
import dev.semantic.model.ModelId;
import dev.semantic.spi.ModelRuntime;

/** MLX, with the two real models, keeps to what every backend promises. */
@RequiresModels
class MlxRuntimeContractTest extends ModelRuntimeContract {
  @Override
  protected ModelRuntime open() {
    return MlxModelRuntime.open();
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
