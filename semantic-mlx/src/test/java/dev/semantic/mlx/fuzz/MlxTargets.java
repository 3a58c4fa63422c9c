package dev.semantic.mlx.fuzz;

import dev.semantic.fuzz.FuzzTarget;
import dev.semantic.mlx.checkpoint.GgufFuzz;
import dev.semantic.mlx.checkpoint.SafetensorsFuzz;
import dev.semantic.mlx.isolated.WireFuzz;
import dev.semantic.mlx.models.hub.HubFuzz;
import dev.semantic.mlx.template.TemplateFuzz;
import dev.semantic.mlx.tokenizer.GuardFuzz;
import dev.semantic.mlx.tokenizer.TokenizerFuzz;
import java.util.List;

/** What this module reads that others wrote. */
public final class MlxTargets implements FuzzTarget.Catalog {
  @Override
  public List<String> names() {
    return List.of("gguf", "safetensors", "tokenizer", "template", "hub", "wire", "guard");
  }

  @Override
  public FuzzTarget.Maker maker(String name) {
    return switch (name) {
      case "gguf" -> GgufFuzz::make;
      case "safetensors" -> SafetensorsFuzz::make;
      case "tokenizer" -> TokenizerFuzz::make;
      case "template" -> TemplateFuzz::make;
      case "hub" -> HubFuzz::make;
      case "wire" -> WireFuzz::make;
      case "guard" -> GuardFuzz::make;
      default -> throw new IllegalArgumentException(name);
    };
  }
}
