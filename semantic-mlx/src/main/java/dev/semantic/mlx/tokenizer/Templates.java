package dev.semantic.mlx.tokenizer;

import dev.semantic.mlx.template.ChatTemplate;
import dev.semantic.mlx.template.ModelTemplates;
import dev.semantic.model.ChatFacts;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A model's chat templates, of which the usual one is parsed already: whether it can be is known
 * before anything is loaded.
 *
 * @param usual nothing where the model has none
 */
record Templates(ModelTemplates all, Optional<ChatTemplate> usual) {
  static final Templates NONE =
      new Templates(new ModelTemplates(Map.of(), Map.of()), Optional.empty());

  /**
   * Parses the usual one.
   *
   * @throws dev.semantic.mlx.template.TemplateException if it has a syntax error
   */
  static Templates of(ModelTemplates all) {
    boolean has = all.sources().containsKey(ModelTemplates.DEFAULT);
    return new Templates(all, has ? all.choose(false) : Optional.empty());
  }

  /** What they tell of the model's conversations. */
  ChatFacts facts(Set<Integer> endTokens) {
    return ChatFacts.of(String.join("\n", all.sources().values()), endTokens);
  }

  /**
   * The one for a conversation.
   *
   * @param tools whether there are any
   * @throws dev.semantic.mlx.template.TemplateException if that one has a syntax error
   */
  Optional<ChatTemplate> choose(boolean tools) {
    return tools ? all.choose(true) : usual;
  }
}
