package dev.semantic.mlx.architecture;

import static dev.semantic.mlx.testing.Refusal.assertRefused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.mlx.architecture.ModelDescription.Head;
import dev.semantic.model.ModelException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Descriptions of models, from configurations. */
class ArchitecturesTest {
  private static ModelConfig config(String type, Map<String, ?> more) {
    Map<String, Object> values =
        new HashMap<>(
            Map.of(
                "model_type", type,
                "hidden_size", 64,
                "num_hidden_layers", 2,
                "intermediate_size", 96,
                "num_attention_heads", 4,
                "num_key_value_heads", 2,
                "rms_norm_eps", 1e-5,
                "vocab_size", 10,
                "max_position_embeddings", 128));
    values.putAll(more);
    return new ModelConfig("config.json", values);
  }

  private static ModelDescription decoder(String type, Map<String, ?> more) {
    ModelConfig config = config(type, more);
    return Architecture.of(config).decoder(config);
  }

  private static RotarySpec rotary(Map<String, ?> more) {
    return decoder("llama", more).layers().getFirst().attention().rotary();
  }

  @Test
  void aHostsOwnIsFoundAsAService() {
    assertInstanceOf(HostsOwn.class, Architecture.of(config(HostsOwn.TYPE, Map.of())));
    assertTrue(Architecture.knownTypes().contains(HostsOwn.TYPE));
    assertRefused(
        ModelException.class,
        () -> Architecture.of(config("mamba", Map.of())),
        "'mamba'",
        HostsOwn.TYPE,
        "qwen3",
        Architecture.class.getName());
  }

  @Test
  void defaultsAreThoseOfTheReference() {
    assertEquals(Head.EMBEDDING, decoder("llama", Map.of()).head());
    assertEquals(Head.OWN, decoder("phi3", Map.of()).head());
    assertEquals(10_000f, rotary(Map.of()).base());
    ModelDescription qwen2 = decoder("qwen2", Map.of("head_dim", 32));
    assertEquals(16, qwen2.layers().getFirst().attention().headDim(), "it knows no other");
    assertEquals(1_000_000f, qwen2.layers().getFirst().attention().rotary().base());
    ModelConfig bare = new ModelConfig("config.json", Map.of("model_type", "gemma3_text"));
    ModelDescription gemma3 = Architecture.of(bare).decoder(bare);
    assertEquals(26, gemma3.layers().size());
    assertEquals(262_144, gemma3.vocabularySize());
    assertEquals(512, gemma3.layers().get(4).attention().window());
    assertEquals(0, gemma3.layers().get(5).attention().window());
    ModelConfig eyes =
        new ModelConfig("config.json", Map.of("model_type", "gemma3", "text_config", Map.of()));
    ModelDescription text = Architecture.of(eyes).decoder(eyes);
    assertEquals(262_208, text.vocabularySize());
    assertEquals(8, text.layers().getFirst().attention().heads());
    assertTrue(text.tensors(false).containsKey("language_model.model.norm.weight"));
  }

  @Test
  void positionsAreReadWhereverTheyAreWritten() {
    assertEquals(5e5f, rotary(Map.of("rope_theta", 500_000)).base());
    RotarySpec nested =
        rotary(
            Map.of(
                "rope_parameters",
                Map.of("rope_theta", 7e5, "rope_type", "linear", "factor", 4.0)));
    assertEquals(7e5f, nested.base());
    assertEquals(new RopeScaling.Linear(4), nested.scaling());
    assertEquals(4f, nested.wavelengths()[0]);
    assertInstanceOf(
        RopeScaling.None.class,
        rotary(Map.of("rope_scaling", Map.of("type", "dynamic", "factor", 2))).scaling());
    Map<String, Object> llama3 =
        Map.of(
            "rope_type", "llama3",
            "factor", 8,
            "low_freq_factor", 1,
            "high_freq_factor", 4,
            "original_max_position_embeddings", 64);
    float[] plain = rotary(Map.of()).wavelengths();
    float[] stretched = rotary(Map.of("rope_scaling", llama3)).wavelengths();
    assertEquals(plain[0], stretched[0], "a short wave is kept");
    assertEquals(8 * plain[7], stretched[7], 1e-3f * plain[7], "a long one is stretched");
    assertRefused(
        ModelException.class,
        () ->
            rotary(
                Map.of("rope_scaling", Map.of("type", "longrope", "long_factor", List.of(1, 2)))),
        "rope_scaling",
        "long_factor",
        "expected 8");
    assertRefused(
        ModelException.class, () -> rotary(Map.of("rope_traditional", true)), "rope_traditional");
  }

  private static List<Integer> windows(String type, Map<String, ?> more) {
    return decoder(type, more).layers().stream().map(each -> each.attention().window()).toList();
  }

  /** As transformers does; mlx-lm computes beyond a window what no layer was made to see. */
  @Test
  void aWindowIsHonouredWhereSequencesOutgrowIt() {
    Map<String, Object> eight = Map.of("sliding_window", 8);
    assertEquals(List.of(8, 8), windows("mistral", eight));
    assertEquals(List.of(8, 8), windows("phi3", eight));
    assertEquals(List.of(0, 0), windows("llama", eight), "it has none");
    assertEquals(List.of(0, 0), windows("mistral", Map.of("sliding_window", 128)));
    assertEquals(List.of(0, 0), windows("mistral", Map.of()));
    assertEquals(List.of(0, 0), windows("mistral", Map.of("sliding_window", 0)));
    List<String> types = List.of("full_attention", "sliding_attention");
    Map<String, Object> each = Map.of("sliding_window", 8, "layer_types", types);
    for (String type : List.of("llama", "mistral", "phi3", "qwen2", "qwen3")) {
      assertEquals(List.of(0, 8), windows(type, each), type);
    }
    for (String type : List.of("qwen2", "qwen3")) {
      assertEquals(List.of(0, 0), windows(type, eight), "it does not use it");
      Map<String, Object> used =
          Map.of("sliding_window", 8, "use_sliding_window", true, "max_window_layers", 1);
      assertEquals(List.of(0, 8), windows(type, used));
    }
  }

  private static RopeScaling.Yarn yarn(Map<String, ?> more) {
    Map<String, Object> scaling =
        new HashMap<>(Map.of("type", "yarn", "factor", 4, "original_max_position_embeddings", 32));
    scaling.putAll(more);
    return (RopeScaling.Yarn) rotary(Map.of("rope_scaling", scaling)).scaling();
  }

  private static float grown(double by) {
    return (float) (0.1 * by * Math.log(4) + 1);
  }

  /** As transformers does; a 0 says nothing. */
  @Test
  void yarnIsReadWithAllItsParameters() {
    assertEquals(new RopeScaling.Yarn(4, 32, 32, 1, grown(1)), yarn(Map.of()));
    assertEquals(0.7f, yarn(Map.of("attention_factor", 0.7)).magnitude());
    assertEquals(2 * grown(1), yarn(Map.of("attn_factor", 2)).magnitude(), 1e-6f);
    assertEquals(grown(1), yarn(Map.of("mscale", 0.7)).magnitude(), "one of two says nothing");
    assertEquals(grown(1), yarn(Map.of("mscale", 1, "mscale_all_dim", 0)).magnitude());
    assertEquals(
        grown(1) / grown(0.5), yarn(Map.of("mscale", 1, "mscale_all_dim", 0.5)).magnitude(), 1e-6f);
    assertEquals(32f, yarn(Map.of("beta_fast", 0)).betaFast());
    assertFalse(yarn(Map.of("truncate", false)).truncate());
    Map<String, Object> bare = Map.of("type", "yarn", "factor", 4);
    RopeScaling.Yarn whole = (RopeScaling.Yarn) rotary(Map.of("rope_scaling", bare)).scaling();
    assertEquals(128f, whole.originalContext(), "max_position_embeddings");
  }

  /** Numbers of transformers' own formula, for heads of 16, base 10,000. */
  @Test
  void yarnThatIsNotTruncatedBlendsBetweenDimensions() {
    double from = 16 * Math.log(32 / (4 * 2 * Math.PI)) / (2 * Math.log(1e4));
    double to = 16 * Math.log(32 / (0.1 * 2 * Math.PI)) / (2 * Math.log(1e4));
    Map<String, Object> blend = Map.of("beta_fast", 4, "beta_slow", 0.1, "truncate", false);
    RotarySpec rotary = new RotarySpec(16, 1e4f, yarn(blend));
    for (int i = 0; i < 8; i++) {
      double plain = Math.pow(1e4, i / 8.0);
      double ramp = Math.clamp((i - Math.max(from, 0)) / (to - Math.max(from, 0)), 0, 1);
      double frequency = ramp / (4 * plain) + (1 - ramp) / plain;
      assertEquals(1 / frequency, rotary.wavelengths()[i], 1e-4 / frequency, "pair " + i);
    }
  }

  @Test
  void longRopeHasFactorsForShortSequencesAndForLongOnes() {
    List<Integer> near = List.of(1, 1, 1, 1, 1, 1, 1, 1);
    List<Integer> far = List.of(2, 2, 2, 2, 2, 2, 2, 2);
    Map<String, Object> scaling = new HashMap<>();
    scaling.put("type", "longrope");
    scaling.put("short_factor", near);
    scaling.put("long_factor", far);
    Map<String, Object> given =
        Map.of("rope_scaling", scaling, "original_max_position_embeddings", 32);
    ModelDescription description = decoder("llama", given);
    assertEquals(32, description.nearContext());
    RotarySpec rotary = description.layers().getFirst().attention().rotary();
    assertEquals(1f, rotary.near().wavelengths()[0]);
    assertEquals(2f, rotary.far().wavelengths()[0]);
    float usual = (float) Math.sqrt(1 + Math.log(4) / Math.log(32));
    assertEquals(usual, rotary.near().scaling().magnitude(), 1e-6f);
    assertEquals(usual, rotary.far().scaling().magnitude(), 1e-6f);
    scaling.put("short_mscale", 1.1);
    scaling.put("long_mscale", 1.2);
    assertEquals(1.1f, rotary(given).near().scaling().magnitude());
    assertEquals(1.2f, rotary(given).far().scaling().magnitude());
    scaling.put("original_max_position_embeddings", 128);
    assertEquals(Integer.MAX_VALUE, decoder("llama", given).nearContext(), "none is longer");
    assertEquals(1f, rotary(given).wavelengths()[0]);
    assertEquals(Integer.MAX_VALUE, decoder("llama", Map.of()).nearContext());
  }

  /** As transformers 5 writes it; mlx-lm 0.32.2 does not read it and forgets the factor. */
  @Test
  void eachKindOfLayersMayHavePositionsOfItsOwn() {
    Map<String, Object> near = Map.of("rope_type", "default", "rope_theta", 9e3);
    Map<String, Object> far = Map.of("rope_type", "linear", "factor", 8.0, "rope_theta", 2e6);
    ModelDescription description =
        decoder(
            "gemma3_text",
            Map.of(
                "sliding_window_pattern",
                2,
                "rope_parameters",
                Map.of("sliding_attention", near, "full_attention", far)));
    assertEquals(
        new RotarySpec(256, 9e3f, new RopeScaling.None()),
        description.layers().getFirst().attention().rotary());
    assertEquals(
        new RotarySpec(256, 2e6f, new RopeScaling.Linear(8)),
        description.layers().getLast().attention().rotary());
  }

  @Test
  void scoresThatAreNotBentSayNull() {
    assertEquals(30, decoder("gemma2", Map.of("head_dim", 16)).logitSoftcap());
    Map<String, Object> unbent = new HashMap<>(Map.of("head_dim", 16));
    unbent.put("attn_logit_softcapping", null);
    unbent.put("final_logit_softcapping", null);
    ModelDescription description = decoder("gemma2", unbent);
    assertEquals(0, description.layers().getFirst().attention().softcap());
    assertEquals(0, description.logitSoftcap());
  }

  @Test
  void tensorsFollowFromTheDescription() {
    Map<String, int[]> tensors =
        decoder("llama", Map.of("attention_bias", true, "head_dim", 24)).tensors(false);
    String at = "model.layers.1.self_attn.";
    assertArrayEquals(new int[] {96, 64}, tensors.get(at + "q_proj.weight"));
    assertArrayEquals(new int[] {48}, tensors.get(at + "v_proj.bias"));
    assertArrayEquals(new int[] {64, 96}, tensors.get(at + "o_proj.weight"));
    Map<String, int[]> fused = decoder("phi3", Map.of()).tensors(true);
    assertArrayEquals(new int[] {128, 64}, fused.get(at + "qkv_proj.weight"));
    assertArrayEquals(new int[] {192, 64}, fused.get("model.layers.0.mlp.gate_up_proj.weight"));
    assertTrue(fused.containsKey("lm_head.weight"));
  }
}
