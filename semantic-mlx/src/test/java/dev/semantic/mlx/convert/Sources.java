package dev.semantic.mlx.convert;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.semantic.mlx.MlxModelRuntime;
import dev.semantic.mlx.checkpoint.Checkpoint;
import dev.semantic.mlx.checkpoint.Checkpoints;
import dev.semantic.mlx.checkpoint.GgufOf;
import dev.semantic.mlx.testing.RandomGguf;
import dev.semantic.mlx.testing.TinyModels;
import dev.semantic.model.ModelId;
import dev.semantic.spi.LoadProgress;
import dev.semantic.spi.LoadedModel;
import dev.semantic.spi.LoadedModel.Chunk;
import dev.semantic.spi.PreparedModel;
import dev.semantic.spi.Sequence;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Small models to convert, and what they compute. */
final class Sources {
  /** Tokens that every one of them knows. */
  static final int[] PROMPT = {5, 17, 42, 3, 60, 11, 29, 8, 54, 21, 33, 2};

  private Sources() {}

  /** The weights of a tiny model as a GGUF file. */
  static Path gguf(String name, String architecture, Path directory) throws IOException {
    if (architecture.equals("gemma3")) {
      return RandomGguf.gemma3(6, 8).write(directory, name, 5);
    }
    Path copy = Files.createDirectory(directory.resolve(name + "-copy"));
    try (Stream<Path> files = Files.list(TinyModels.of(name))) {
      for (Path file : files.toList()) {
        Files.copy(file, copy.resolve(file.getFileName().toString()));
      }
    }
    Path config = copy.resolve("config.json");
    ObjectNode json = (ObjectNode) TinyModels.json(config);
    if (json.has("query_pre_attn_scalar")) { // GGUF has no word for another one
      json.set("query_pre_attn_scalar", json.get("head_dim"));
    }
    new ObjectMapper().writeValue(config.toFile(), json);
    try (Checkpoint checkpoint = Checkpoints.open(copy)) {
      return GgufOf.write(checkpoint, architecture, directory.resolve(name + ".gguf"));
    }
  }

  static float[] logits(MlxModelRuntime runtime, Path model) {
    return logits(runtime, new ModelId(model.toString()), PROMPT);
  }

  static float[] logits(MlxModelRuntime runtime, ModelId model, int[] prompt) {
    try (PreparedModel prepared = runtime.prepare(model);
        LoadedModel loaded = prepared.load(LoadProgress.NONE);
        Sequence sequence = loaded.open()) {
      return loaded.forward(List.of(new Chunk(sequence, prompt, true))).getFirst();
    }
  }
}
