package dev.semantic.examples.demo;

import dev.semantic.generate.ChatMessage;
import dev.semantic.generate.GenerationRequest;
import dev.semantic.generate.GenerationResult;
import dev.semantic.generate.Prompt;
import dev.semantic.generate.Sampling;
import dev.semantic.kv.AgentId;
import dev.semantic.registry.ModelRegistry;
import java.util.ArrayList;
import java.util.List;

/** Somebody who talks to whichever model serves, and remembers what was said. */
final class Agent {
  private final AgentId id;
  private final ModelRegistry registry;
  private final DemoScript script;
  private final int maxTokens;
  private final List<ChatMessage> talk = new ArrayList<>();

  Agent(String name, ModelRegistry registry, DemoScript script, int maxTokens) {
    this.id = new AgentId(name);
    this.registry = registry;
    this.script = script;
    this.maxTokens = maxTokens;
  }

  /** A turn of the conversation. */
  GenerationResult says(String words) {
    talk.add(ChatMessage.user(words));
    GenerationResult answer = ask(new Prompt.Chat(talk), Sampling.GREEDY, maxTokens);
    talk.add(ChatMessage.assistant(answer.text()));
    script.answer(id, words, answer);
    return answer;
  }

  /**
   * A turn that must not compute the former turns again.
   *
   * @throws IllegalStateException if it did
   */
  void remembers(String words) {
    GenerationResult answer = says(words);
    if (answer.cachedTokens() == 0) {
      throw new IllegalStateException(
          "%s's cache was not used: all %d tokens were computed again"
              .formatted(id, answer.promptTokens()));
    }
  }

  /** A text that the model continues. */
  void writes(String beginning) {
    Sampling varied = Sampling.GREEDY.withRepetitionPenalty(1.2);
    script.answer(id, beginning, ask(new Prompt.Text(beginning), varied, maxTokens / 2));
  }

  private GenerationResult ask(Prompt prompt, Sampling sampling, int limit) {
    GenerationRequest request =
        GenerationRequest.of(prompt).agent(id).sampling(sampling).maxTokens(limit).build();
    return registry.generate(request).await();
  }
}
