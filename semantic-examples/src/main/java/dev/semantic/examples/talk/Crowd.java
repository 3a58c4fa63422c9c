package dev.semantic.examples.talk;

import dev.semantic.model.ModelId;
import dev.semantic.model.ModelSpec;
import dev.semantic.registry.ModelRegistry;
import dev.semantic.spi.ModelRuntime;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Agents who talk all the time, each on a thread of its own. */
public final class Crowd implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofMinutes(5);

  private final ModelRegistry registry;
  private final Account account = new Account();
  private final List<Talker> talkers = new ArrayList<>();
  private final List<Thread> threads = new ArrayList<>();

  private Crowd(ModelRegistry registry) {
    this.registry = registry;
  }

  /**
   * Agents who begin at once.
   *
   * @param models they may meet
   * @param transcripts where what they said is kept for the next process; null for nowhere
   */
  public static Crowd gather(
      ModelRegistry registry,
      ModelRuntime runtime,
      List<ModelId> models,
      int agents,
      int maxTokens,
      @Nullable Path transcripts) {
    Beginnings beginnings = Beginnings.of(runtime, models, agents);
    Transcripts said = new Transcripts(transcripts, beginnings.tags());
    Crowd crowd = new Crowd(registry);
    for (int i = 0; i < agents; i++) {
      Talker talker = new Talker(i, registry, beginnings, said, crowd.account, maxTokens);
      crowd.talkers.add(talker);
      crowd.threads.add(Thread.ofVirtual().name(Talker.name(i)).start(talker));
    }
    return crowd;
  }

  /**
   * Waits until everybody has had an answer of the model that serves, and goes on talking to it.
   *
   * @throws IllegalStateException if that takes too long
   */
  public void awaitTalking() throws InterruptedException {
    long end = System.nanoTime() + PATIENCE.toNanos();
    talkers.forEach(Talker::forgetWhoWasHeard);
    while (!allHeard()) {
      if (System.nanoTime() > end) {
        throw new IllegalStateException(
            "Not every agent has had an answer within " + PATIENCE.toMinutes() + " minutes");
      }
      Thread.sleep(5);
    }
  }

  private boolean allHeard() {
    Optional<ModelId> serving = registry.current().map(ModelSpec::id);
    return serving.isEmpty()
        || talkers.stream().allMatch(talker -> talker.heardFrom(serving.get()));
  }

  /** Lets everybody have the answer that is under way, and ends the talk. */
  public Account end() {
    close();
    return account;
  }

  @Override
  public void close() {
    talkers.forEach(Talker::stop);
    for (Thread thread : threads) {
      try {
        thread.join(PATIENCE);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }
}
