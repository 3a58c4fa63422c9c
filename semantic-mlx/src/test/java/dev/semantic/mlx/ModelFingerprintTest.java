package dev.semantic.mlx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.semantic.mlx.array.DType;
import dev.semantic.mlx.checkpoint.Checkpoint;
import dev.semantic.mlx.checkpoint.Checkpoints;
import dev.semantic.mlx.layers.Transformer;
import dev.semantic.mlx.load.ComputePolicy;
import dev.semantic.mlx.models.ModelCatalog;
import dev.semantic.mlx.testing.RequiresModels;
import dev.semantic.mlx.testing.RequiresNatives;
import dev.semantic.mlx.testing.TinyModels;
import dev.semantic.model.KvLayout;
import dev.semantic.model.KvLayout.Layer;
import dev.semantic.model.ModelId;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What the build of 30 November 2026 said: a cache that was parked under a tag is lost when the tag
 * changes. Nothing here changes but together with what the model computes.
 */
class ModelFingerprintTest {
  private static final KvLayout LAYOUT =
      new KvLayout(List.of(new Layer(3, 64, 0), new Layer(1, 256, 512)));
  private static final String LAYOUT_TEXT =
      "KvLayout[layers=[Layer[kvHeads=3, headDim=64, window=0],"
          + " Layer[kvHeads=1, headDim=256, window=512]]]";

  @ParameterizedTest
  @CsvSource(
      delimiter = ' ',
      value = {
        "EXPANDED FLOAT32 false cpu FLOAT32|EXPANDED|FLOAT32|false|cpu",
        "QUANTISED FLOAT16 false cpu FLOAT16|QUANTISED|FLOAT16|false|cpu",
        "HALF BFLOAT16 false cpu BFLOAT16|NARROW|BFLOAT16|false|cpu",
        "NATIVE BFLOAT16 false cpu BFLOAT16|AS_IN_FILE|BFLOAT16|false|cpu",
        "QUANTISED BFLOAT16 true gpu BFLOAT16|QUANTISED|BFLOAT16|true|gpu"
      })
  void textOfEveryForm(
      ComputePolicy.WeightFormat weightFormat,
      DType activations,
      boolean gpu,
      String device,
      String text) {
    ComputePolicy policy = new ComputePolicy(weightFormat, activations, gpu, false);
    assertEquals("2|" + LAYOUT_TEXT + "|" + text, ModelFingerprint.text(LAYOUT, policy, device));
  }

  @RequiresNatives
  @ParameterizedTest
  @CsvSource({
    "tiny-gemma2-bf16, ce563d14d188987c6f1e6ecde7257ab862319b0034942fc0dd99404660dc6e89",
    "tiny-gemma3-f32, 933bb7299490e5fafe4e5f4dc0988f366b95373ec595afb88ea8facfadd0c20a",
    "tiny-llama-bias-mixed, cd587c6cf6dcb09277717d2a17c9468fbb4844dd9c4485073750a20816d5425d",
    "tiny-llama-sliding-f32, f0d25bfa1931f87ca927a86d3d8b3bd7890023ad34b6099618383a2f8240b119",
    "tiny-phi3-long-f32, d058e1ddbdf3d0b0effa317e256d64b9d1d94b9bb64d0d33d90c77c58e26eb05",
    "tiny-qwen2-f16, 16a7f2a8a1bfceaeb692bf7cd322db37ace7eade9b0c6a26c4499b9f9b0d0d20",
    "tiny-qwen3-narrow-q4, b15d745d8d7ca6a50ff17607928f92ca151d2ddae882e07a9d4e33320c28572f",
  })
  void smallModels(String name, String fingerprint) {
    check(name, TinyModels.of(name).toString(), fingerprint);
  }

  /** With MLX's kernels, and with our own. */
  @RequiresModels
  @ParameterizedTest
  @CsvSource({
    "smollm2-135m-instruct, EXPANDED, false,"
        + " 9e50ac11a887e22f78a00e6a61f2d75445be07213718353564732765f885ebd8",
    "smollm2-135m-instruct, QUANTISED, false,"
        + " 29c5ccd47a9d3a80bb4f24a76a1aa43568e1a43675e757036e4041b8d8a0a906",
    "smollm2-135m-instruct, EXPANDED, true,"
        + " 9e50ac11a887e22f78a00e6a61f2d75445be07213718353564732765f885ebd8",
    "smollm2-135m-instruct, QUANTISED, true,"
        + " 6fa550cda598547a1b10112872cae5b163a3ef54e26f792759f96253deb249ca",
    "gemma-3-270m, EXPANDED, false,"
        + " 6284c87d0df9b0122978c50cf42daa5472c15622bbe29d935e0c8a7c4c6af325",
    "gemma-3-270m, QUANTISED, false,"
        + " e28b8c24733d7b3ce96aa3ca6d055e36cbc2659ee7ed70ccdcbea3da1b066098",
    "gemma-3-270m, QUANTISED, true,"
        + " b2160a50d49681bae64d569ff1f3aa6138a92fbb822b597fbb53c6c89d9aa78a"
  })
  void realModelsInEachForm(
      String id, ComputePolicy.WeightFormat form, boolean kernels, String fingerprint)
      throws IOException {
    try (Checkpoint checkpoint = Checkpoints.open(ModelCatalog.ofUser().resolve(new ModelId(id)))) {
      ComputePolicy policy =
          ComputePolicy.of(form, checkpoint, new ComputePolicy.Device(false, kernels));
      KvLayout layout = Transformer.kvLayout(checkpoint.decoder());
      assertEquals(fingerprint, ModelFingerprint.of(checkpoint, layout, policy, "cpu"));
    }
  }

  private static void check(String model, String id, String fingerprint) {
    try (Mlx mlx = Mlx.open()) {
      assumeFalse(mlx.gpu(), "these are the tags of a CPU");
    }
    try (var runtime = MlxModelRuntime.open();
        var prepared = runtime.prepare(new ModelId(id))) {
      assertEquals(model, prepared.spec().tag().model());
      assertEquals(fingerprint, prepared.spec().tag().fingerprint());
    }
  }
}
