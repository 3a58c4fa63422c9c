package dev.semantic.examples.cli;

import dev.semantic.examples.chat.Conversations;
import dev.semantic.examples.server.admin.SwapForm;
import dev.semantic.examples.talk.Account;
import dev.semantic.examples.talk.AgentLoad;
import dev.semantic.examples.talk.Spoken;
import dev.semantic.journal.InterruptedSwap;
import dev.semantic.mlx.Mlx;
import dev.semantic.model.ModelId;
import dev.semantic.model.ModelTag;
import dev.semantic.registry.ModelRegistry;
import dev.semantic.spi.ModelRuntime;
import dev.semantic.spi.PreparedModel;
import dev.semantic.store.DiskCacheStore;
import dev.semantic.swap.ModelSwapException;
import dev.semantic.swap.SwapReport;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The same swaps again and again, under load, with an eye on memory. */
@Command(
    name = "soak",
    description = {
      "Swaps between two models for a long time while agents talk, and watches memory.",
      "Started again on the directory of a run that was killed, it says what it found there."
    })
final class SoakCommand extends Subcommand {
  @Parameters(index = "0", paramLabel = "A", description = "The model that serves first.")
  private String first = "";

  @Parameters(index = "1", paramLabel = "B", description = "The model that takes turns with it.")
  private String second = "";

  @Option(names = "--swaps", paramLabel = "N", required = true, description = "How many swaps.")
  private int swaps;

  @Option(names = "--agents", paramLabel = "M", required = true, description = "How many agents.")
  private int agents;

  @Option(
      names = "--seed",
      paramLabel = "S",
      description = "The same seed pauses alike between swaps; default ${DEFAULT-VALUE}.")
  private long seed = 0;

  @Option(
      names = "--max-tokens",
      paramLabel = "N",
      description = "How long an answer is; default ${DEFAULT-VALUE}.")
  private int maxTokens = 16;

  @Mixin private RegistryOptions registryOptions = new RegistryOptions();

  private final List<SwapReport> reports = new ArrayList<>();
  private final List<Long> memory = new ArrayList<>();
  private final List<Long> rss = new ArrayList<>();
  private final List<Integer> blocks = new ArrayList<>();
  private boolean good;

  @Override
  public Integer call() throws IOException {
    super.call();
    return good ? 0 : 1;
  }

  @Override
  Answer answer() throws IOException {
    if (swaps < 0 || agents < 1 || maxTokens < 1) {
      throw misuse("--swaps must not be negative; --agents and --max-tokens must be 1 or more");
    }
    registryOptions.check(this);
    ModelId a = new ModelId(first);
    ModelId b = new ModelId(second);
    registryOptions.find(terminal(), a);
    registryOptions.find(terminal(), b);
    Map<String, @Nullable Object> fields = new LinkedHashMap<>();
    try (ModelRuntime runtime = registryOptions.openRuntime();
        DiskCacheStore caches = registryOptions.openCaches();
        ModelRegistry registry = registryOptions.registry(runtime, caches).build()) {
      fields.put("found", found(registry, runtime, caches, List.of(a, b)));
      Account account = soak(registry, runtime, a, b);
      good =
          registry.current().isPresent()
              && account.lostRequests() == 0
              && account.wrongModelAnswers() == 0;
      tell(fields, account);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("Interrupted", e);
    }
    fields.put("live_handles", Mlx.liveHandles());
    return new Answer(fields, () -> summary(fields));
  }

  /** What a former run left in the directory. */
  private Map<String, @Nullable Object> found(
      ModelRegistry registry,
      ModelRuntime runtime,
      @Nullable DiskCacheStore caches,
      List<ModelId> models)
      throws IOException {
    RegistryOptions.tellInterrupted(registry, terminal().err());
    Map<String, Object> parked = new LinkedHashMap<>();
    Map<ModelTag, ModelId> names = new LinkedHashMap<>();
    for (ModelId model : models) {
      try (PreparedModel prepared = runtime.prepare(model)) {
        names.put(prepared.spec().tag(), model);
        int count = caches == null ? 0 : caches.parked(prepared.spec().tag()).size();
        parked.put(model.name(), count);
        if (count > 0) {
          terminal().err().printf("Found %d agents parked for %s%n", count, model);
        }
      }
    }
    Map<String, @Nullable Object> found = new LinkedHashMap<>();
    found.put(
        "interrupted",
        registry.interruptedSwap().map(swap -> interrupted(swap, names)).orElse(null));
    found.put("parked", parked);
    return found;
  }

  private static Map<String, @Nullable Object> interrupted(
      InterruptedSwap swap, Map<ModelTag, ModelId> names) {
    Map<String, @Nullable Object> fields = new LinkedHashMap<>();
    Optional<String> known = swap.swap().from().map(names::get).map(ModelId::name);
    fields.put("from", known.or(() -> swap.swap().from().map(ModelTag::model)).orElse(null));
    fields.put("to", swap.swap().to().map(ModelId::name).orElse(null));
    fields.put("phase", swap.phase().name().toLowerCase(java.util.Locale.ROOT));
    return fields;
  }

  private Account soak(ModelRegistry registry, ModelRuntime runtime, ModelId a, ModelId b)
      throws InterruptedException {
    SplittableRandom random = new SplittableRandom(seed);
    Path directory = registryOptions.cacheDirectory();
    Path transcripts = // in clear, so none where there is a key
        directory == null || registryOptions.key().isPresent()
            ? null
            : directory.resolve(Conversations.MADE_UP);
    try (AgentLoad crowd =
            AgentLoad.gather(registry, runtime, List.of(a, b), agents, maxTokens, transcripts);
        SwapCount count = new SwapCount(terminal(), swaps)) {
      registry.load(a);
      crowd.awaitTalking();
      for (int i = 0; i < swaps; i++) {
        Thread.sleep(random.nextInt(50)); // so that the swap comes anywhere in an answer
        swap(registry, i % 2 == 0 ? b : a);
        crowd.awaitTalking(); // everybody's cache is there again, or anew
        crowd.whileQuiet(
            () -> {
              memory.add(runtime.memory().activeBytes());
              rss.add(ResidentSet.bytes());
              blocks.add(registry.pool().availableBlocks());
            });
        count.swapped(reports.getLast());
      }
      return crowd.end();
    }
  }

  private void swap(ModelRegistry registry, ModelId target) {
    try {
      reports.add(registry.swapWithRollback(target));
    } catch (ModelSwapException e) {
      reports.add(e.report());
    }
  }

  private void tell(Map<String, @Nullable Object> fields, Account account) {
    fields.put("swaps", reports.stream().map(SwapForm::json).toList());
    fields.put("answers", account.answers().stream().map(Spoken::json).toList());
    fields.put("memory", memory);
    fields.put("rss", rss);
    fields.put("available_blocks", blocks);
    fields.put("wrong_model_answers", account.wrongModelAnswers());
    fields.put("lost_requests", account.lostRequests());
    fields.put("refused_requests", account.refusals());
  }

  private String summary(Map<String, @Nullable Object> fields) {
    return "%d swaps; %s answers of the wrong model, %s requests lost; active bytes %s; RSS %s; live handles %s"
        .formatted(
            reports.size(),
            fields.get("wrong_model_answers"),
            fields.get("lost_requests"),
            memory,
            rss,
            fields.get("live_handles"));
  }
}
