package dev.semantic.examples.talk;

import dev.semantic.generate.Generation;
import dev.semantic.generate.GenerationRequest;
import dev.semantic.generate.GenerationResult;
import dev.semantic.generate.Prompt;
import dev.semantic.generate.RequestException;
import dev.semantic.kv.AgentId;
import dev.semantic.model.ModelId;
import dev.semantic.model.ModelSpec;
import dev.semantic.registry.ModelRegistry;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.Lock;
import org.jspecify.annotations.Nullable;

/**
 * An agent who goes on talking to whichever model serves, to each about what was said with it
 * before. Every request names its model: one that is overtaken by a swap is refused, not answered
 * by another, and is asked again.
 */
final class AgentClient implements Runnable {
  private static final Duration LOST_AFTER = Duration.ofMinutes(10);

  private final int number;
  private final ModelRegistry registry;
  private final Beginnings beginnings;
  private final Transcripts transcripts;
  private final Account account;
  private final int maxTokens;
  private final Lock talking;
  private final AtomicBoolean stop = new AtomicBoolean();
  private final AtomicInteger heard = new AtomicInteger();
  private final AtomicReference<@Nullable ModelId> lastModel = new AtomicReference<>();

  AgentClient(
      int number,
      ModelRegistry registry,
      Beginnings beginnings,
      Transcripts transcripts,
      Account account,
      int maxTokens,
      Lock talking) {
    this.number = number;
    this.registry = registry;
    this.beginnings = beginnings;
    this.transcripts = transcripts;
    this.account = account;
    this.maxTokens = maxTokens;
    this.talking = talking;
  }

  static String name(int number) {
    return "agent-" + (number + 1);
  }

  void stop() {
    stop.set(true);
  }

  /** How many answers it has heard from this model since the last one from another. */
  boolean heardFrom(ModelId model) {
    return model.equals(lastModel.get()) && heard.get() > 0;
  }

  void forgetWhoWasHeard() {
    heard.set(0);
  }

  @Override
  public void run() {
    while (!stop.get()) {
      talking.lock();
      try {
        registry
            .current()
            .map(ModelSpec::id)
            .ifPresentOrElse(this::ask, () -> sleep(Duration.ofMillis(20)));
      } finally {
        talking.unlock();
      }
    }
  }

  private void ask(ModelId model) {
    String name = name(number);
    int[] prompt = transcripts.next(name, model, beginnings.of(model, number));
    GenerationRequest request =
        GenerationRequest.of(new Prompt.Tokens(prompt))
            .agent(new AgentId(name))
            .model(model)
            .maxTokens(maxTokens)
            .ignoreEos(true)
            .build();
    Generation generation;
    try {
      generation = registry.generate(request);
    } catch (RequestException refused) { // no model, or too many: later
      account.refuse();
      sleep(refused.retryAfter().orElse(Duration.ofMillis(20)));
      return;
    }
    account.accept();
    try {
      hear(generation.await(LOST_AFTER), model, prompt);
    } catch (RequestException ended) {
      if (generation.isDone()) {
        account.refuse();
        sleep(Duration.ofMillis(5));
      } else {
        account.lose();
      }
    }
  }

  private void hear(GenerationResult answer, ModelId model, int[] prompt) {
    boolean right = answer.model().equals(beginnings.tags().get(model));
    account.answered(
        new Spoken(
            name(number), model, answer.promptTokens(), answer.cachedTokens(), answer.tokens()),
        right);
    int[] said = Arrays.copyOf(prompt, prompt.length + answer.tokens().size());
    for (int i = 0; i < answer.tokens().size(); i++) {
      said[prompt.length + i] = answer.tokens().get(i);
    }
    transcripts.said(name(number), model, said);
    lastModel.set(model);
    heard.incrementAndGet();
  }

  private static void sleep(Duration time) {
    try {
      Thread.sleep(time);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
