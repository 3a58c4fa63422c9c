package dev.semantic.examples.chat;

import dev.semantic.examples.terminal.PlainText;
import dev.semantic.examples.terminal.Terminal;
import dev.semantic.generate.ChatMessage;
import dev.semantic.generate.FinishReason;
import dev.semantic.generate.Generation;
import dev.semantic.generate.GenerationEvent;
import dev.semantic.generate.GenerationRequest;
import dev.semantic.generate.GenerationResult;
import dev.semantic.generate.Prompt;
import dev.semantic.generate.RequestException;
import dev.semantic.generate.Sampling;
import dev.semantic.generate.ToolCall;
import dev.semantic.kv.AgentId;
import dev.semantic.model.ModelException;
import dev.semantic.model.ModelId;
import dev.semantic.model.ModelSpec;
import dev.semantic.model.ModelTag;
import dev.semantic.registry.ModelRegistry;
import dev.semantic.registry.RegistryStatus;
import dev.semantic.spi.ModelRuntime;
import dev.semantic.spi.PreparedModel;
import dev.semantic.store.CacheException;
import dev.semantic.store.CacheKey;
import dev.semantic.store.DiskCacheStore;
import dev.semantic.store.ParkingStatus;
import dev.semantic.swap.ModelSwapException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** One person and one agent, with whichever model serves. */
public final class Conversation {
  private static final String HELP =
      """
      /swap MODEL   let another model take over; this agent's memory waits for the old one
      /agents       who is remembered
      /pin          keep this agent's cache in memory, whoever else needs room; /unpin ends it
      /status       which model serves, and how it stands
      /help         this
      /quit         end; so does the end of the input, or Ctrl-C where nothing is under way
      Ctrl-C stops the answer, or calls off the swap, that is under way.\
      """;

  private final ModelRegistry registry;
  private final Terminal terminal;
  private final Setting setting;
  private final AgentId agent;
  private final Memory memory;
  private final int maxTokens;
  private final Map<ModelId, Boolean> chats = new HashMap<>();
  private final Map<ModelId, ModelTag> met = new LinkedHashMap<>();
  private volatile @Nullable Generation running;
  private volatile boolean interrupted;

  /**
   * Where it takes place.
   *
   * @param caches null where nothing outlives the process
   * @param find makes sure that a model is there before it is swapped to
   * @param with gives a conversation its tools and variables
   */
  public record Setting(
      ModelRegistry registry,
      ModelRuntime runtime,
      @Nullable DiskCacheStore caches,
      Terminal terminal,
      Consumer<ModelId> find,
      UnaryOperator<Prompt.Chat> with) {}

  private Conversation(Setting setting, AgentId agent, Memory memory, int maxTokens) {
    this.registry = setting.registry();
    this.terminal = setting.terminal();
    this.setting = setting;
    this.agent = agent;
    this.memory = memory;
    this.maxTokens = maxTokens;
  }

  /**
   * A conversation that goes on where this agent's last one in that directory ended.
   *
   * @param cacheDirectory null for one that nobody remembers
   * @param key encrypts what is kept there
   */
  public static Conversation of(
      Setting setting,
      AgentId agent,
      @Nullable Path cacheDirectory,
      Optional<CacheKey> key,
      int maxTokens)
      throws IOException {
    Memory memory = Memory.of(agent, cacheDirectory, key);
    return new Conversation(setting, agent, memory, maxTokens);
  }

  /** Talks until there is nothing more to say. */
  public void hold(Lines lines) throws IOException {
    lines.onInterrupt(this::interrupt);
    say("%s serves; /help tells what else there is.".formatted(serving()));
    memory.notices().forEach(this::say);
    if (!memory.messages().isEmpty()) {
      say("%s remembers %d messages.".formatted(agent, memory.messages().size()));
    }
    for (String line = lines.next(); line != null; line = lines.next()) {
      String words = line.strip();
      if (words.equals("/quit") || words.equals("/exit")) {
        return;
      }
      if (!words.isEmpty()) {
        take(words, lines);
      }
    }
  }

  private void take(String words, Lines lines) throws IOException {
    interrupted = false;
    if (!words.startsWith("/")) {
      answer(words, lines);
      return;
    }
    String[] parts = words.split("\\s+", 2);
    switch (parts[0]) {
      case "/help" -> say(HELP);
      case "/status" -> say(status());
      case "/agents" -> say(agents());
      case "/pin" -> {
        registry.pin(agent);
        say("%s stays in memory.".formatted(agent));
      }
      case "/unpin" -> {
        registry.unpin(agent);
        say("%s leaves memory like others.".formatted(agent));
      }
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

  /** Ctrl-C: ends the answer that is under way or about to begin, or calls off the swap. */
  public void interrupt() {
    interrupted = true;
    registry.cancelSwap();
    Generation present = running;
    if (present != null) {
      present.cancel();
    }
  }

  /** Answers, and goes on for as long as the model calls tools and gets results. */
  private void answer(String words, Lines lines) throws IOException {
    int before = memory.messages().size();
    memory.add(ChatMessage.user(words));
    GenerationResult result = answered(words);
    while (result != null) {
      memory.add(result.message());
      String stopped = result.reason() == FinishReason.CANCELLED ? "; stopped" : "";
      say(
          "[%d prompt tokens, %d of them remembered; %d said%s]"
              .formatted(
                  result.promptTokens(), result.cachedTokens(), result.tokens().size(), stopped));
      if (result.message().toolCalls().isEmpty()) {
        keep();
        return;
      }
      result = results(result.message().toolCalls(), lines) ? answered(words) : null;
    }
    memory.goBackTo(before);
  }

  /** Null where there is no answer, which was said. */
  private @Nullable GenerationResult answered(String words) {
    try {
      Generation generation = registry.generate(request(words));
      running = generation;
      if (interrupted) {
        generation.cancel(); // it came while there was nothing to cancel yet
      }
      print(generation.events());
      return generation.await();
    } catch (RequestException e) {
      say("No answer: " + e.getMessage());
      return null;
    } finally {
      running = null;
    }
  }

  /** Asks the person what came of the calls; false if the input ends. */
  private boolean results(List<ToolCall> calls, Lines lines) throws IOException {
    for (ToolCall call : calls) {
      say("%s %s\nIts result, on one line:".formatted(call.name(), call.arguments()));
      String result = lines.next();
      if (result == null) {
        return false;
      }
      memory.add(ChatMessage.tool(call.id(), result.strip()));
    }
    return true;
  }

  /** Whoever talks goes on and may mend it: the next answer is written down with all before it. */
  private void keep() {
    try {
      memory.keep();
    } catch (CacheException | IOException e) {
      say("This is remembered for as long as you talk, but not written down: " + e.getMessage());
    }
  }

  private GenerationRequest request(String words) {
    Prompt prompt =
        hasTemplate()
            ? setting.with().apply(new Prompt.Chat(memory.messages()))
            : new Prompt.Text(words);
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
    try (PreparedModel prepared = setting.runtime().prepare(model)) {
      boolean chat = prepared.text().hasChatTemplate();
      if (!chat) {
        say(model + " has no chat template: it continues your text, and nothing else.");
      }
      return chat;
    }
  }

  private void print(Iterator<GenerationEvent> events) {
    boolean parts = hasTemplate();
    while (events.hasNext()) {
      switch (events.next()) {
        case GenerationEvent.Token(int id, String text, var _) when !parts ->
            terminal.out().print(text);
        case GenerationEvent.Text(String text) -> terminal.out().print(text);
        case GenerationEvent.BrokenCall(String text, String why) -> terminal.out().print(text);
        case GenerationEvent.Reasoning(String text) -> terminal.err().print(text);
        default -> {}
      }
      terminal.out().flush();
    }
    terminal.out().println();
  }

  private void swap(ModelId target) {
    try {
      registry.current().ifPresent(spec -> met.put(spec.id(), spec.tag()));
      setting.find().accept(target);
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
    } catch (ModelException | ModelSwapException e) {
      say(String.valueOf(e.getMessage()));
    }
  }

  private String serving() {
    return registry.current().map(spec -> spec.id().name()).orElse("No model");
  }

  private String status() {
    RegistryStatus status = registry.status();
    return "%s serves; %d requests under way, %d waiting; %d agents in memory; %d of %d cache blocks free%s"
        .formatted(
            serving(),
            status.running(),
            status.waiting(),
            status.hotAgents(),
            registry.pool().availableBlocks(),
            registry.pool().totalBlocks(),
            parking(status.parking()));
  }

  /** Nothing where all is well. */
  static String parking(ParkingStatus parking) {
    return switch (parking) {
      case ParkingStatus.Parking ok -> "";
      case ParkingStatus.Suspended(Instant since, String why) ->
          "; nothing is parked since %s: %s".formatted(since, why);
    };
  }

  private String agents() {
    StringBuilder text = new StringBuilder();
    text.append(
        "%s: %d messages; %d agents in memory"
            .formatted(agent, memory.messages().size(), registry.status().hotAgents()));
    DiskCacheStore caches = setting.caches();
    if (caches != null) {
      registry.current().ifPresent(spec -> met.put(spec.id(), spec.tag()));
      met.forEach(
          (model, tag) ->
              caches
                  .parked(tag)
                  .forEach(
                      cache ->
                          text.append(
                              "%n%s: %d tokens parked for %s, %s"
                                  .formatted(
                                      PlainText.name(cache.agent()),
                                      cache.tokens(),
                                      model,
                                      cache.size()))));
    }
    return text.toString();
  }

  private void say(String text) {
    terminal.err().println(text);
  }
}
