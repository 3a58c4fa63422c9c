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
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.jspecify.annotations.Nullable;

/** Agents who talk all the time, each on a thread of its own. */
public final class AgentLoad implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofMinutes(10);

  private final ModelRegistry registry;
  private final ReadWriteLock talk = new ReentrantReadWriteLock(true);
  private final Account account = new Account();
  private final List<AgentClient> talkers = new ArrayList<>();
  private final List<Thread> threads = new ArrayList<>();

  private AgentLoad(ModelRegistry registry) {
    this.registry = registry;
  }

  /**
   * Agents who begin as soon as a model serves.
   *
   * @param models they may meet; each is prepared here, so that what is wrong with one is known
   *     before any is loaded
   * @param transcripts where what they said is kept for the next process; null for nowhere
   */
  public static AgentLoad gather(
      ModelRegistry registry,
      ModelRuntime runtime,
      List<ModelId> models,
      int agents,
      int maxTokens,
      @Nullable Path transcripts) {
    Beginnings beginnings = Beginnings.of(runtime, models, agents);
    Transcripts said = new Transcripts(transcripts, beginnings.tags(), maxTokens);
    AgentLoad load = new AgentLoad(registry);
    for (int i = 0; i < agents; i++) {
      AgentClient client =
          new AgentClient(
              i, registry, beginnings, said, load.account, maxTokens, load.talk.readLock());
      load.talkers.add(client);
      load.threads.add(Thread.ofVirtual().name(AgentClient.name(i)).start(client));
    }
    return load;
  }

  /**
   * Waits until everybody has had an answer of the model that serves, and goes on talking to it.
   *
   * @throws IllegalStateException if that takes too long
   */
  public void awaitTalking() throws InterruptedException {
    long end = System.nanoTime() + PATIENCE.toNanos();
    talkers.forEach(AgentClient::forgetWhoWasHeard);
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
        || talkers.stream().allMatch(client -> client.heardFrom(serving.get()));
  }

  /** Does something while nobody is talking; everybody remembers, and nobody computes. */
  public void whileQuiet(Runnable look) {
    talk.writeLock().lock();
    try {
      look.run();
    } finally {
      talk.writeLock().unlock();
    }
  }

  /** Lets everybody have the answer that is under way, and ends the talk. */
  public Account end() {
    close();
    return account;
  }

  @Override
  public void close() {
    talkers.forEach(AgentClient::stop);
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
