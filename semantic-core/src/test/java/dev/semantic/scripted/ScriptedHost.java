package dev.semantic.scripted;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.generate.EngineOptions;
import dev.semantic.generate.FinishReason;
import dev.semantic.generate.Generation;
import dev.semantic.generate.GenerationRequest;
import dev.semantic.generate.GenerationResult;
import dev.semantic.generate.Prompt;
import dev.semantic.generate.RequestException;
import dev.semantic.generate.Sampling;
import dev.semantic.kv.AgentId;
import dev.semantic.memory.ByteSize;
import dev.semantic.memory.MemoryBudget;
import dev.semantic.registry.ModelRegistry;
import dev.semantic.registry.RegistryBuilder;
import dev.semantic.store.CacheStore;
import dev.semantic.store.MemoryCacheStore;
import dev.semantic.swap.SwapListener;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * A registry over scripted models, for one test. When the test has ended, the house is closed and
 * nothing may be left: no request without an end, no answer that its weights would not give, no
 * block, no sequence, no model, no byte.
 */
public final class ScriptedHost implements AfterEachCallback, AutoCloseable {
  /** How long an answer may take before a test calls it lost. */
  public static final Duration PATIENCE = Duration.ofSeconds(4);

  /** A budget that holds any two of the models, with 64 KiB of caches. */
  public static final ByteSize ROOMY = new ByteSize(10_000_000);

  /** A budget that holds each of the models, but no two. */
  public static final ByteSize TIGHT = new ByteSize(2_200_000);

  public final Script script = new Script();
  public final ScriptedRuntime runtime = new ScriptedRuntime(script);

  /** What is parked, behind the store that fails as the script has it. */
  public final MemoryCacheStore parked = new MemoryCacheStore();

  public final ModelRegistry registry;
  private final Map<Generation, GenerationRequest> asked =
      Collections.synchronizedMap(new LinkedHashMap<>());
  private final ByteSize budget;
  private boolean closed;

  public ScriptedHost() {
    this(ROOMY);
  }

  public ScriptedHost(ByteSize budget) {
    this(budget, UnaryOperator.identity());
  }

  public ScriptedHost(ByteSize budget, UnaryOperator<RegistryBuilder> more) {
    this.budget = budget;
    RegistryBuilder builder =
        ModelRegistry.builder(runtime)
            .budget(new MemoryBudget(budget))
            .cacheBytes(ByteSize.parse("128KiB"))
            .engine(engine(16, false))
            .journal(new ScriptedJournal(script))
            .caches(store());
    registry = more.apply(builder).build();
  }

  /** As every house has it, but for who is brought back and whether agents are parked betimes. */
  public static EngineOptions engine(int restored, boolean writeBehind) {
    return new EngineOptions(4, 100, Duration.ofSeconds(15), restored, writeBehind);
  }

  private CacheStore store() {
    return new ScriptedStore(parked, script);
  }

  /** A house in which a model serves. */
  public static ScriptedHost serving(Geometry model) {
    return serving(model, ROOMY);
  }

  public static ScriptedHost serving(Geometry model, ByteSize budget, SwapListener... listeners) {
    ScriptedHost host =
        new ScriptedHost(
            budget,
            builder -> {
              for (SwapListener listener : listeners) {
                builder.listener(listener);
              }
              return builder;
            });
    host.registry.load(model.id());
    return host;
  }

  /** A request of an agent for {@code atMost} tokens. */
  public static GenerationRequest request(String agent, int atMost, int... prompt) {
    return GenerationRequest.of(new Prompt.Tokens(prompt))
        .agent(new AgentId(agent))
        .maxTokens(atMost)
        .build();
  }

  /** Asks; the house checks the answer when the test has ended. */
  public Generation ask(GenerationRequest request) {
    Generation generation = registry.generate(request);
    asked.put(generation, request);
    return generation;
  }

  /** Asks for five tokens, and waits for them. */
  public GenerationResult ask(String agent, int... prompt) {
    return ask(request(agent, 5, prompt)).await(PATIENCE);
  }

  /** The conversation so far: prompt and answer. */
  public static int[] said(int[] prompt, GenerationResult answer) {
    int[] all = Arrays.copyOf(prompt, prompt.length + answer.tokens().size());
    for (int i = 0; i < answer.tokens().size(); i++) {
      all[prompt.length + i] = answer.tokens().get(i);
    }
    return all;
  }

  /** The message has this part. */
  public static void assertSays(String part, Throwable failure) {
    assertTrue(String.valueOf(failure.getMessage()).contains(part), failure::toString);
  }

  /** So many tokens, none of them special, other ones for other seeds. */
  public static int[] tokens(int count, int seed) {
    int[] tokens = new int[count];
    for (int i = 0; i < count; i++) {
      tokens[i] = 20 + Math.floorMod(31 * i + 7 * seed, 200);
    }
    return tokens;
  }

  @Override
  public void afterEach(ExtensionContext context) {
    close();
  }

  /** Closes the registry and looks for what is left. */
  @Override
  public void close() {
    close(true);
  }

  /**
   * The same after calls that hung and came back too late: a load that nobody waited for may have
   * taken its memory beside another.
   */
  public void closeAfterTrouble(boolean somethingHung) {
    close(!somethingHung);
  }

  /** The same after calls that never came back: what they held stays theirs. */
  public void closeAbandoned() {
    if (!closed) {
      closed = true;
      registry.close();
      Map.copyOf(asked).forEach(ScriptedHost::check);
    }
  }

  private void close(boolean withinBudget) {
    if (closed) {
      return;
    }
    closed = true;
    script.heal();
    script.releaseAll();
    registry.close();
    Map.copyOf(asked).forEach(ScriptedHost::check);
    List<String> left = new ArrayList<>();
    note(left, "sequences", runtime.openSequences());
    note(left, "models", runtime.openModels());
    note(left, "prepared models", runtime.openPrepared());
    note(left, "active bytes", runtime.activeBytes());
    note(left, "blocks", registry.pool().totalBlocks() - registry.pool().availableBlocks());
    assertEquals(List.of(), left, "left behind");
    long peak = runtime.peakBytes();
    assertTrue(
        !withinBudget || peak <= budget.bytes(),
        () -> peak + " bytes at once, with a budget of " + budget);
  }

  private static void note(List<String> left, String what, long count) {
    if (count != 0) {
      left.add(count + " " + what);
    }
  }

  /** Which weights made this answer, and is it what they would say? */
  private static void check(Generation generation, GenerationRequest request) {
    assertTrue(generation.isDone(), () -> "a request was lost: " + request.agent());
    GenerationResult result;
    try {
      result = generation.await();
    } catch (RequestException refused) {
      return; // told why; whether that was right is the test's to say
    }
    Geometry model = Geometry.of(result.model());
    request.model().ifPresent(id -> assertEquals(id, model.id(), "answered by another model"));
    int[] prompt =
        switch (request.prompt()) {
          case Prompt.Tokens tokens -> tokens.ids();
          case Prompt.Text(String text) -> model.tokens(text, model.beginsWithBos());
          case Prompt.Chat chat -> new int[0]; // what a template makes of it is its own
        };
    if (request.sampling().equals(Sampling.GREEDY) && prompt.length > 0) {
      List<Integer> right = model.answer(prompt, request.maxTokens(), request.ignoreEos());
      boolean cut =
          EnumSet.of(FinishReason.CANCELLED, FinishReason.PREEMPTED, FinishReason.TIME_LIMIT)
              .contains(result.reason());
      if (cut || !request.stop().isEmpty()) {
        right = right.subList(0, result.tokens().size());
      }
      assertEquals(right, result.tokens(), () -> model + " would not say that");
    }
  }
}
