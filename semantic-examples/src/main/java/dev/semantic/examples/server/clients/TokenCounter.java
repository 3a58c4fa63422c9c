package dev.semantic.examples.server.clients;

import dev.semantic.generate.Prompt;
import dev.semantic.model.ModelSpec;

/** How many tokens a model makes of a conversation. Any thread. */
public interface TokenCounter {
  /**
   * Counts them.
   *
   * @throws dev.semantic.model.ModelException if its chat template refuses the conversation
   */
  int count(ModelSpec model, Prompt.Chat chat);
}
