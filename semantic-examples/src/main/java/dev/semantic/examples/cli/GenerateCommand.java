package dev.semantic.examples.cli;

import dev.semantic.examples.terminal.Progress;
import dev.semantic.generate.Constraint;
import dev.semantic.generate.Generation;
import dev.semantic.generate.GenerationEvent;
import dev.semantic.generate.GenerationRequest;
import dev.semantic.generate.GenerationResult;
import dev.semantic.generate.Prompt;
import dev.semantic.generate.Sampling;
import dev.semantic.generate.ToolCall;
import dev.semantic.kv.AgentId;
import dev.semantic.memory.ByteSize;
import dev.semantic.model.ModelId;
import dev.semantic.model.ModelSpec;
import dev.semantic.registry.ModelRegistry;
import dev.semantic.registry.RegistryBuilder;
import dev.semantic.spi.ModelRuntime;
import dev.semantic.store.CacheStore;
import dev.semantic.store.DiskCacheStore;
import dev.semantic.swap.SwapListener;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** An answer of a model. */
@Command(name = "generate", description = "Lets a model continue a text or answer a conversation.")
final class GenerateCommand extends ModelCommand {
  @ArgGroup(multiplicity = "1")
  private Source source = new Source();

  /** Exactly one of them. */
  private static final class Source {
    @Option(
        names = "--prompt",
        paramLabel = "TEXT",
        description = "Plain text to continue; special tokens in it count as such.")
    private @Nullable String text;

    @Option(
        names = "--tokens",
        paramLabel = "LIST",
        converter = TokenList.Converter.class,
        description = "Tokens to continue, for example 1,2,3; taken as they are.")
    private @Nullable TokenList tokens;

    @Option(
        names = "--messages",
        paramLabel = "FILE.json",
        description =
            "A conversation to answer: a JSON array of objects with role and content, as OpenAI's"
                + " interface has them.")
    private @Nullable Path messages;
  }

  @Option(
      names = "--max-tokens",
      paramLabel = "N",
      description = "Generate at most N tokens; default ${DEFAULT-VALUE}.")
  private int maxTokens = 256;

  @Option(
      names = "--temperature",
      paramLabel = "T",
      description = "0, the default, takes the likeliest token, always.")
  private @Nullable Double temperature;

  @Option(
      names = "--model-defaults",
      description =
          "Draw tokens as the model's generation_config.json recommends; --temperature comes before"
              + " it.")
  private boolean modelDefaults;

  @Option(
      names = "--seed",
      paramLabel = "S",
      description = "The same seed draws the same tokens; default: another one each time.")
  private @Nullable Long seed;

  @Option(
      names = "--chunk",
      paramLabel = "N",
      description = "Compute the prompt N tokens at a time; default ${DEFAULT-VALUE}.")
  private int chunk = 512;

  @Option(
      names = "--ignore-eos",
      description = "Go on past tokens that end an answer; show special tokens.")
  private boolean ignoreEos;

  @Mixin private ChatOptions chat = new ChatOptions();

  @ArgGroup private @Nullable ConstraintOptions constrained;

  @ArgGroup(exclusive = false)
  private @Nullable AgentCacheOptions remembered;

  private @Nullable Constraint constraint; // as it was read

  private String drawnBy = ""; // the seed, where there is one

  @Override
  Answer answer(ModelRuntime runtime, ModelId model) throws IOException {
    requireTemperature();
    requirePositive("--max-tokens", maxTokens);
    requirePositive("--chunk", chunk);
    Prompt fixed = promptBeforeLoading();
    constraint = constraintBeforeLoading();
    AgentCacheOptions whose = remembered;
    if (whose == null) {
      try (ModelRegistry registry = registry(runtime, model, null)) {
        return new Answer(fields(generate(registry, request(registry, fixed))), () -> "");
      }
    }
    AgentId agent = whose.agent(this);
    try (DiskCacheStore caches = whose.open();
        ModelRegistry registry = registry(runtime, model, caches)) {
      GenerationResult result = generate(registry, request(registry, fixed).agent(agent));
      Map<String, Object> fields = fields(result);
      fields.put("cached_tokens", result.cachedTokens());
      fields.put("parked_bytes", AgentCacheOptions.park(registry, caches, agent).bytes());
      return new Answer(fields, () -> "");
    }
  }

  private GenerationRequest.Builder request(ModelRegistry registry, Prompt fixed) {
    ModelSpec spec = registry.current().orElseThrow();
    Prompt prompt = source.tokens == null ? fixed : new Prompt.Tokens(source.tokens.of(spec));
    GenerationRequest.Builder request =
        GenerationRequest.of(prompt)
            .sampling(sampling(spec))
            .maxTokens(maxTokens)
            .prefillChunk(chunk)
            .ignoreEos(ignoreEos);
    return constraint == null ? request : request.constraint(constraint);
  }

  private GenerationResult generate(ModelRegistry registry, GenerationRequest.Builder request) {
    Generation generation = registry.generate(request.build());
    if (!json()) {
      print(generation.events());
    }
    GenerationResult result = generation.await();
    if (!json()) {
      terminal().out().println();
      terminal().err().println(summary(result));
    }
    return result;
  }

  /** Found out before a model is loaded for nothing. */
  private void requireTemperature() {
    try {
      Sampling.GREEDY.withTemperature(temperature == null ? 0 : temperature);
    } catch (IllegalArgumentException e) {
      throw misuse(String.valueOf(e.getMessage()));
    }
  }

  private Sampling sampling(ModelSpec model) {
    Sampling sampling = modelDefaults ? Sampling.recommendedBy(model) : Sampling.GREEDY;
    sampling = temperature == null ? sampling : sampling.withTemperature(temperature);
    if (sampling.temperature() == 0) {
      return sampling;
    }
    // Drawn here where none is given, so that the answer can tell it.
    seed = seed == null ? Long.valueOf(ThreadLocalRandom.current().nextLong()) : seed;
    drawnBy = String.valueOf(seed);
    return sampling.withSeed(seed);
  }

  private void requirePositive(String option, int value) {
    if (value < 1) {
      throw misuse("%s must be 1 or more; it is %d".formatted(option, value));
    }
  }

  /** A missing file is found out before a model is loaded for nothing. */
  private Prompt promptBeforeLoading() throws IOException {
    if (source.messages != null) {
      return chat.chat(source.messages, this);
    }
    if (!chat.isEmpty()) {
      throw misuse("--tools, --tool-choice and --set belong to --messages");
    }
    return new Prompt.Text(source.text == null ? "" : source.text);
  }

  private @Nullable Constraint constraintBeforeLoading() throws IOException {
    if (constrained == null) {
      return null;
    }
    if (ignoreEos) {
      throw misuse("A constrained answer ends where its constraint does: leave --ignore-eos away");
    }
    try {
      return constrained.read();
    } catch (IllegalArgumentException e) {
      throw misuse(String.valueOf(e.getMessage()));
    }
  }

  private ModelRegistry registry(ModelRuntime runtime, ModelId model, @Nullable CacheStore caches) {
    try (Progress progress = Progress.drawn(terminal(), "Loading " + model)) {
      SwapListener listener =
          new SwapListener() {
            @Override
            public void progress(ByteSize done, ByteSize total) {
              progress.update(done.bytes(), total.bytes());
            }
          };
      RegistryBuilder builder = ModelRegistry.builder(runtime).listener(listener);
      if (caches != null) {
        builder.caches(caches);
      }
      ModelRegistry registry = builder.build();
      try {
        registry.load(model);
        return registry;
      } catch (RuntimeException | Error e) {
        registry.close();
        throw e;
      }
    }
  }

  /** Of a conversation what is said goes out, what is thought and called is told beside it. */
  private void print(Iterator<GenerationEvent> events) {
    PrintStream out = terminal().out();
    PrintStream err = terminal().err();
    while (events.hasNext()) {
      switch (events.next()) {
        case GenerationEvent.Token(int id, String text, var _) when source.messages == null ->
            out.print(text);
        case GenerationEvent.Text(String text) -> out.print(text);
        case GenerationEvent.BrokenCall(String text, String why) -> out.print(text);
        case GenerationEvent.Reasoning(String text) -> err.print(text);
        case GenerationEvent.CallComplete(int index, ToolCall call) ->
            err.println("%n%s %s".formatted(call.name(), call.arguments()));
        default -> {}
      }
      out.flush();
    }
  }

  private static Map<String, Object> fields(GenerationResult result) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("prompt_tokens", result.promptTokens());
    fields.put("tokens", result.tokens());
    fields.put("text", result.message().content());
    fields.put("ttft_ms", milliseconds(result.timeToFirstToken()));
    fields.put("prefill_tokens_per_second", result.prefillTokensPerSecond());
    fields.put("decode_tokens_per_second", result.decodeTokensPerSecond());
    fields.put("finish_reason", finishReason(result));
    fields.put(
        "tool_calls", result.message().toolCalls().stream().map(GenerateCommand::fields).toList());
    fields.put("reasoning", result.message().reasoning());
    return fields;
  }

  private static Map<String, Object> fields(ToolCall call) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("id", call.id());
    fields.put("name", call.name());
    fields.put("arguments", call.values());
    return fields;
  }

  /** In the words of the field's interfaces. */
  private static String finishReason(GenerationResult result) {
    return switch (result.reason()) {
      case END_TOKEN, STOP_STRING -> result.message().toolCalls().isEmpty() ? "stop" : "tool_calls";
      case MAX_TOKENS, CONTEXT_FULL -> "length";
      case CANCELLED -> "cancelled";
      case TIME_LIMIT -> "time_limit";
      case PREEMPTED -> "preempted";
    };
  }

  private String summary(GenerationResult result) {
    return String.format(
        Locale.ROOT,
        "%d prompt tokens, %d of them cached, at %.1f a second, %d generated at %.1f a second,"
            + " first after %.1f ms%s",
        result.promptTokens(),
        result.cachedTokens(),
        result.prefillTokensPerSecond(),
        result.tokens().size(),
        result.decodeTokensPerSecond(),
        milliseconds(result.timeToFirstToken()),
        drawnBy.isEmpty() ? "" : ", seed " + drawnBy);
  }

  private static double milliseconds(Duration time) {
    return time.toNanos() / 1e6;
  }
}
