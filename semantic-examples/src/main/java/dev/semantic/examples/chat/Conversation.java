package dev.semantic.examples.chat;

import dev.semantic.cache.AgentId;
import dev.semantic.chat.ChatMessage;
import dev.semantic.engine.FinishReason;
import dev.semantic.engine.Generation;
import dev.semantic.engine.GenerationEvent;
import dev.semantic.engine.GenerationRequest;
import dev.semantic.engine.GenerationResult;
import dev.semantic.engine.Prompt;
import dev.semantic.engine.RequestException;
import dev.semantic.engine.Sampling;
import dev.semantic.examples.terminal.Terminal;
import dev.semantic.model.ModelId;
import dev.semantic.model.ModelSpec;
import dev.semantic.registry.ModelRegistry;
import dev.semantic.registry.RegistryStatus;
import dev.semantic.spi.ModelRuntime;
import dev.semantic.spi.PreparedModel;
import dev.semantic.swap.ModelSwapException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** One person and one agent, with whichever model serves. */
public final class Conversation {
  private static final String HELP =
      """
      /swap MODEL   let another model take over; this agent's memory waits for the old one
      /agents       who is remembered
      /status       which model serves, and how it stands
      /help         this
      /quit         end; so does the end of the input, or Ctrl-C where nothing is being answered\
      """;

  private final ModelRegistry registry;
  private final ModelRuntime runtime;
  private final Terminal terminal;
  private final AgentId agent;
  private final Memory memory;
  private final int maxTokens;
  private final Map<ModelId, Boolean> chats = new HashMap<>();
  private final Set<AgentId> seen = new LinkedHashSet<>();
  private volatile @Nullable Generation running;

  private Conversation(
      ModelRegistry registry,
      ModelRuntime runtime,
      Terminal terminal,
      AgentId agent,
      Memory memory,
      int maxTokens) {
    this.registry = registry;
    this.runtime = runtime;
    this.terminal = terminal;
    this.agent = agent;
    this.memory = memory;
    this.maxTokens = maxTokens;
  }

  /**
   * A conversation that goes on where this agent's last one in that directory ended.
   *
   * @param cacheDirectory null for one that nobody remembers
   */
  public static Conversation of(
      ModelRegistry registry,
      ModelRuntime runtime,
      Terminal terminal,
      AgentId agent,
      @Nullable Path cacheDirectory,
      int maxTokens)
      throws IOException {
    Memory memory = Memory.of(agent.name(), cacheDirectory);
    return new Conversation(registry, runtime, terminal, agent, memory, maxTokens);
  }

  /** Talks until there is nothing more to say. */
  public void hold(Lines lines) throws IOException {
    lines.onInterrupt(this::stopAnswering);
    say("%s serves; /help tells what else there is.".formatted(serving()));
    if (!memory.messages().isEmpty()) {
      say("%s remembers %d messages.".formatted(agent, memory.messages().size()));
    }
    for (String line = lines.next(); line != null; line = lines.next()) {
      String words = line.strip();
      if (words.equals("/quit") || words.equals("/exit")) {
        return;
      }
      if (!words.isEmpty()) {
        take(words);
      }
    }
  }

  private void take(String words) throws IOException {
    if (!words.startsWith("/")) {
      answer(words);
      return;
    }
    String[] parts = words.split("\\s+", 2);
    switch (parts[0]) {
      case "/help" -> say(HELP);
      case "/status" -> say(status());
      case "/agents" -> say(agents());
      case "/swap" -> {
        if (parts.length < 2) {
          say("Which model? /swap MODEL");
        } else {
          swap(new ModelId(parts[1]));
        }
      }
      default -> say("There is no " + parts[0] + "; /help tells what there is.");
    }
  }

  private void stopAnswering() {
    Generation present = running;
    if (present != null) {
      present.cancel();
    }
  }

  private void answer(String words) throws IOException {
    memory.add(ChatMessage.user(words));
    GenerationResult result;
    try {
      Generation generation = registry.generate(request(words));
      running = generation;
      print(generation.events());
      result = generation.await();
    } catch (RequestException e) {
      memory.takeBack();
      say("No answer: " + e.getMessage());
      return;
    } finally {
      running = null;
    }
    seen.add(agent);
    memory.add(ChatMessage.assistant(result.text()));
    memory.keep();
    String stopped = result.reason() == FinishReason.CANCELLED ? "; stopped" : "";
    say(
        "[%d prompt tokens, %d of them remembered; %d said%s]"
            .formatted(
                result.promptTokens(), result.cachedTokens(), result.tokens().size(), stopped));
  }

  private GenerationRequest request(String words) {
    Prompt prompt = hasTemplate() ? new Prompt.Chat(memory.messages()) : new Prompt.Text(words);
    return GenerationRequest.of(prompt)
        .agent(agent)
        .sampling(Sampling.GREEDY.withRepetitionPenalty(1.1))
        .maxTokens(maxTokens)
        .build();
  }

  /** A base model knows no conversation; it continues what was said last. */
  private boolean hasTemplate() {
    Optional<ModelId> present = registry.current().map(ModelSpec::id);
    return present.map(id -> chats.computeIfAbsent(id, this::looksUp)).orElse(true);
  }

  private boolean looksUp(ModelId model) {
    try (PreparedModel prepared = runtime.prepare(model)) {
      boolean chat = prepared.text().hasChatTemplate();
      if (!chat) {
        say(model + " has no chat template: it continues your text, and nothing else.");
      }
      return chat;
    }
  }

  private void print(Iterator<GenerationEvent> events) {
    while (events.hasNext()) {
      if (events.next() instanceof GenerationEvent.Token token) {
        terminal.out().print(token.text());
        terminal.out().flush();
      }
    }
    terminal.out().println();
  }

  private void swap(ModelId target) {
    try {
      var report = registry.swapWithRollback(target);
      say(
          "%s serves, after %d ms of which %d without a model; %d agents parked, %d back%s"
              .formatted(
                  serving(),
                  report.total().toMillis(),
                  report.blackout().toMillis(),
                  report.agentsParked(),
                  report.agentsRestored(),
                  report.reclaim().map(reclaim -> "; " + reclaim).orElse("")));
    } catch (ModelSwapException e) {
      say(String.valueOf(e.getMessage()));
    }
  }

  private String serving() {
    return registry.current().map(spec -> spec.id().name()).orElse("No model");
  }

  private String status() {
    RegistryStatus status = registry.status();
    return "%s serves; %d requests under way, %d waiting; %d agents in memory; %d of %d cache blocks free"
        .formatted(
            serving(),
            status.running(),
            status.waiting(),
            status.hotAgents(),
            registry.pool().availableBlocks(),
            registry.pool().totalBlocks());
  }

  private String agents() {
    List<ChatMessage> said = memory.messages();
    return "%s: %d messages%s; %d agents in memory"
        .formatted(
            agent,
            said.size(),
            seen.isEmpty() ? ", nothing said yet in this run" : "",
            registry.status().hotAgents());
  }

  private void say(String text) {
    terminal.err().println(text);
  }
}
