package dev.semantic.examples.cli;

import dev.semantic.examples.chat.Conversation;
import dev.semantic.examples.chat.Lines;
import dev.semantic.generate.Prompt;
import dev.semantic.kv.AgentId;
import dev.semantic.model.ModelId;
import dev.semantic.registry.KeepAlivePolicy;
import dev.semantic.registry.ModelRegistry;
import dev.semantic.spi.ModelRuntime;
import dev.semantic.store.DiskCacheStore;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** A conversation. */
@Command(
    name = "chat",
    description = {
      "A conversation at the terminal, during which models can be swapped.",
      "Answers go to standard output, everything else to standard error.",
      "Where the model calls a tool you are asked for its result."
    })
final class ChatCommand extends Subcommand {
  @Parameters(index = "0", paramLabel = "MODEL", description = "The model that begins.")
  private String model = "";

  @Option(
      names = "--agent",
      paramLabel = "ID",
      description = "Who remembers the conversation; default ${DEFAULT-VALUE}.")
  private String agent = "me";

  @Option(
      names = "--max-tokens",
      paramLabel = "N",
      description = "How long an answer may be; default ${DEFAULT-VALUE}.")
  private int maxTokens = 512;

  @Option(
      names = "--keep-alive",
      paramLabel = "TIME",
      converter = TimeSpan.class,
      description =
          "A model that is asked nothing for so long leaves memory, and what the agent knows is"
              + " parked; the next message brings both back. For example 10m. Default: it stays.")
  private @Nullable Duration keepAlive;

  @Mixin private ChatOptions chat = new ChatOptions();

  @Mixin private RegistryOptions registryOptions = new RegistryOptions();

  @Override
  Answer answer() throws IOException {
    if (json()) {
      throw misuse("A conversation has no --json; 'generate' has");
    }
    if (maxTokens < 1) {
      throw misuse("--max-tokens must be 1 or more; it is " + maxTokens);
    }
    if (keepAlive != null && keepAlive.isZero()) {
      throw misuse("--keep-alive must be more than nothing");
    }
    registryOptions.check(this);
    UnaryOperator<Prompt.Chat> with = chat.forLater(this);
    AgentId id = agentId();
    ModelId first = new ModelId(model);
    registryOptions.find(terminal(), first);
    try (ModelRuntime runtime = registryOptions.openRuntime();
        DiskCacheStore caches = registryOptions.openCaches();
        ModelRegistry registry =
            registryOptions
                .registry(runtime, caches)
                .listener(new PhaseLines(terminal(), false))
                .keepAlive(
                    keepAlive == null
                        ? KeepAlivePolicy.UNLIMITED
                        : KeepAlivePolicy.idleFor(keepAlive))
                .build()) {
      Conversation.Setting setting =
          new Conversation.Setting(
              registry,
              runtime,
              caches,
              terminal(),
              target -> registryOptions.find(terminal(), target),
              with);
      Conversation conversation =
          Conversation.of(
              setting, id, registryOptions.cacheDirectory(), registryOptions.key(), maxTokens);
      parkWhenKilled(conversation, registry);
      RegistryOptions.tellInterrupted(registry, terminal().err());
      registry.load(first);
      try (Lines lines = terminal().conversational() ? Lines.ofTerminal() : Lines.of(System.in)) {
        conversation.hold(lines);
      }
    }
    return new Answer(Map.of(), () -> "");
  }

  /** A program that is told to end stops answering, and parks as well. */
  private static void parkWhenKilled(Conversation conversation, ModelRegistry registry) {
    Runnable parking =
        () -> {
          conversation.interrupt();
          registry.close();
        };
    Runtime.getRuntime().addShutdownHook(new Thread(parking, "semantic-park"));
  }

  private AgentId agentId() {
    try {
      return new AgentId(agent);
    } catch (IllegalArgumentException e) {
      throw misuse("--agent: " + e.getMessage());
    }
  }
}
