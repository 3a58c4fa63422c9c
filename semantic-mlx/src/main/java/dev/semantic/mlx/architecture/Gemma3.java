package dev.semantic.mlx.architecture;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Gemma 3 with its eyes (Gemma Team 2025): the text part of the multimodal layout. */
final class Gemma3 implements Architecture {
  @Override
  public Set<String> modelTypes() {
    return Set.of("gemma3");
  }

  @Override
  public ModelDescription decoder(ModelConfig c) {
    ModelConfig text =
        c.section("text_config").orElseThrow(() -> c.wrong("text_config is missing"));
    Map<String, @Nullable Object> usual = new HashMap<>();
    usual.put("vocab_size", c.count("vocab_size", 262_208));
    usual.put("num_attention_heads", text.count("num_attention_heads", 8));
    usual.put("num_key_value_heads", text.count("num_key_value_heads", 4));
    return new Gemma3Text().decoder(text.with(usual)).withPrefix("language_model.");
  }
}
