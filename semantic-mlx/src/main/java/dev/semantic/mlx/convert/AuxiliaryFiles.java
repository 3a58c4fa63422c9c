package dev.semantic.mlx.convert;

import dev.semantic.mlx.checkpoint.Checkpoint;
import dev.semantic.mlx.files.ModelDirectory;
import java.io.IOException;
import java.util.Map;

/** What a model's directory holds besides weights and configuration. */
interface AuxiliaryFiles {
  /** Those of a source. */
  static AuxiliaryFiles of(Checkpoint checkpoint) {
    return ModelDirectory.isOne(checkpoint.path())
        ? new CopiedFiles(ModelDirectory.of(checkpoint.path()))
        : new GgufFiles(checkpoint);
  }

  /** About how much room they take, and rather more. */
  long bytes();

  void writeTo(TargetDirectory place) throws IOException;

  /** What the configuration says of tokens. */
  Map<String, Object> tokens();
}
