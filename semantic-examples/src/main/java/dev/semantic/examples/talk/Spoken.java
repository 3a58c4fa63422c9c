package dev.semantic.examples.talk;

import dev.semantic.model.ModelId;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One answer.
 *
 * @param model that gave it
 * @param cachedTokens of the prompt, which were not computed again
 * @param tokens what it said
 */
public record Spoken(
    String agent, ModelId model, int promptTokens, int cachedTokens, List<Integer> tokens) {
  /** As {@code --json} has it. */
  public Map<String, Object> json() {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("agent", agent);
    fields.put("model", model.name());
    fields.put("prompt_tokens", promptTokens);
    fields.put("cached_tokens", cachedTokens);
    fields.put("tokens", tokens);
    return fields;
  }
}
