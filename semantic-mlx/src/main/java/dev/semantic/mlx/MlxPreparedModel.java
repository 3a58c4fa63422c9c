package dev.semantic.mlx;

import dev.semantic.mlx.array.MlxSession;
import dev.semantic.mlx.array.Scope;
import dev.semantic.mlx.load.WeightLoader;
import dev.semantic.mlx.model.Architecture;
import dev.semantic.mlx.model.Transformer;
import dev.semantic.mlx.text.ModelText;
import dev.semantic.mlx.weights.Checkpoint;
import dev.semantic.mlx.weights.ComputePolicy;
import dev.semantic.model.ModelException;
import dev.semantic.model.ModelSpec;
import dev.semantic.spi.LoadProgress;
import dev.semantic.spi.LoadedModel;
import dev.semantic.spi.PreparedModel;
import dev.semantic.spi.Sequence;
import dev.semantic.spi.TextCodec;
import java.util.List;

/** A checkpoint that was found good, with its tokenizer. */
final class MlxPreparedModel implements PreparedModel {
  private final MlxSession session;
  private final Checkpoint checkpoint;
  private final ComputePolicy policy;
  private final ModelSpec spec;
  private final ModelText text;

  MlxPreparedModel(
      MlxSession session,
      Checkpoint checkpoint,
      ComputePolicy policy,
      ModelSpec spec,
      ModelText text) {
    this.session = session;
    this.checkpoint = checkpoint;
    this.policy = policy;
    this.spec = spec;
    this.text = text;
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
  public LoadedModel load(LoadProgress progress) {
    checkpoint.verifyUnchanged();
    return session.owner().call(() -> loadHere(progress));
  }

  private LoadedModel loadHere(LoadProgress progress) {
    Scope scope = session.scope(spec.id().name());
    try {
      WeightLoader weights =
          new WeightLoader(scope, checkpoint, policy, spec.weightSize().bytes(), progress);
      Transformer transformer = Architecture.of(checkpoint.config()).build(weights);
      MlxLoadedModel model =
          new MlxLoadedModel(session, spec, policy.computeType(), scope, transformer);
      warmUp(model);
      return model;
    } catch (MlxException e) {
      scope.close();
      throw new ModelException(
          "Cannot load %s from %s: %s".formatted(spec.id(), checkpoint.path(), e.getMessage()), e);
    } catch (RuntimeException | Error e) {
      scope.close();
      throw e;
    }
  }

  /** A model is loaded when a token has come out of it; MLX is lazy until then. */
  private static void warmUp(MlxLoadedModel model) {
    try (Sequence sequence = model.open()) {
      model.forward(List.of(new LoadedModel.Chunk(sequence, new int[] {0}, true)));
    }
  }

  @Override
  public void close() {
    text.close();
    checkpoint.close();
  }
}
