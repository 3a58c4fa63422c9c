package dev.semantic.examples.cli;

import dev.semantic.examples.server.admin.SwapForm;
import dev.semantic.examples.talk.AgentLoad;
import dev.semantic.examples.talk.Spoken;
import dev.semantic.mlx.Mlx;
import dev.semantic.model.ModelId;
import dev.semantic.registry.ModelRegistry;
import dev.semantic.registry.SwapOptions;
import dev.semantic.spi.LoadPriority;
import dev.semantic.spi.ModelRuntime;
import dev.semantic.store.DiskCacheStore;
import dev.semantic.swap.ModelSwapException;
import dev.semantic.swap.SwapPhase;
import dev.semantic.swap.SwapReport;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.TypeConversionException;

/** Models that take turns while agents go on. */
@Command(
    name = "swap",
    description = "Lets agents talk while one model after the other takes over.")
final class SwapCommand extends Subcommand {
  private static final Duration PATIENCE = Duration.ofMinutes(5);

  @Parameters(
      arity = "2..*",
      paramLabel = "MODEL",
      description = "The models, in the order in which they serve; two or more.")
  private List<String> models = List.of();

  @Option(
      names = "--agents",
      paramLabel = "N",
      description = "How many agents talk; default ${DEFAULT-VALUE}.")
  private int agents = 5;

  @Option(
      names = "--max-tokens",
      paramLabel = "N",
      description = "How long an answer is; default ${DEFAULT-VALUE}.")
  private int maxTokens = 24;

  @Option(
      names = "--load-priority",
      paramLabel = "HOW",
      converter = LoadPriorityName.class,
      description =
          "What a load takes of the machine while others are answered: background, balanced"
              + " (default), or at-once.")
  private LoadPriority loadPriority = LoadPriority.BALANCED;

  @Option(
      names = "--fail",
      paramLabel = "PHASE",
      converter = PhaseThatFails.class,
      description =
          "Make this phase of the last swap fail, and watch the way back: preparing, draining,"
              + " parking, unloading, loading or activating.")
  private @Nullable SwapPhase fail;

  /** Phases as they are typed; the way back is what a failure leads to, and cannot be chosen. */
  static final class PhaseThatFails implements ITypeConverter<SwapPhase> {
    @Override
    public SwapPhase convert(String text) {
      return Arrays.stream(SwapPhase.values())
          .filter(phase -> phase != SwapPhase.ROLLING_BACK)
          .filter(phase -> phase.name().equalsIgnoreCase(text))
          .findFirst()
          .orElseThrow(
              () ->
                  new TypeConversionException(
                      "'%s' is none of preparing, draining, parking, unloading, loading and activating"
                          .formatted(text)));
    }
  }

  /** Priorities as they are typed. */
  static final class LoadPriorityName implements ITypeConverter<LoadPriority> {
    @Override
    public LoadPriority convert(String text) {
      return Arrays.stream(LoadPriority.values())
          .filter(how -> how.name().replace('_', '-').equalsIgnoreCase(text))
          .findFirst()
          .orElseThrow(
              () ->
                  new TypeConversionException(
                      "'%s' is none of background, balanced and at-once".formatted(text)));
    }
  }

  @Mixin private RegistryOptions registryOptions = new RegistryOptions();

  private boolean serving;

  @Override
  public Integer call() throws IOException {
    super.call();
    return serving ? 0 : 1;
  }

  @Override
  Answer answer() throws IOException {
    checkUsage();
    List<ModelId> ids = models.stream().map(ModelId::new).toList();
    ids.forEach(id -> registryOptions.find(terminal(), id));
    List<SwapReport> reports = new ArrayList<>();
    List<Spoken> answers;
    try (ModelRuntime runtime = registryOptions.openRuntime();
        DiskCacheStore caches = registryOptions.openCaches();
        ModelRegistry registry =
            registryOptions
                .registry(runtime, caches)
                .listener(new PhaseLines(terminal(), json()))
                .build()) {
      RegistryOptions.tellInterrupted(registry, terminal().err());
      answers = talk(registry, runtime, ids, reports);
      serving = registry.current().isPresent();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("Interrupted", e);
    }
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("swaps", reports.stream().map(SwapForm::json).toList());
    fields.put("answers", answers.stream().map(Spoken::json).toList());
    fields.put("live_handles", Mlx.liveHandles());
    return new Answer(fields, () -> summary(answers));
  }

  private void checkUsage() {
    if (agents < 1 || maxTokens < 1) {
      throw misuse("--agents and --max-tokens must be 1 or more");
    }
    registryOptions.check(this);
  }

  private List<Spoken> talk(
      ModelRegistry registry, ModelRuntime runtime, List<ModelId> ids, List<SwapReport> reports)
      throws InterruptedException {
    try (AgentLoad crowd = AgentLoad.gather(registry, runtime, ids, agents, maxTokens, null)) {
      registry.load(ids.getFirst());
      for (int i = 1; i < ids.size(); i++) {
        crowd.awaitTalking();
        reports.add(swap(registry, ids.get(i), i == ids.size() - 1));
        if (!json()) {
          terminal().out().println(SwapForm.line(reports.getLast()));
        }
      }
      crowd.awaitTalking();
      return crowd.end().answers();
    }
  }

  private SwapReport swap(ModelRegistry registry, ModelId target, boolean last) {
    SwapOptions options =
        SwapOptions.builder()
            .loadPriority(loadPriority)
            .drainTimeout(PATIENCE) // an answer may be as long as it was asked to be
            .guard(
                phase -> {
                  if (last && phase == fail) {
                    throw new IllegalStateException("It was asked to fail here (--fail)");
                  }
                })
            .build();
    try {
      return registry.swapWithRollback(target, options);
    } catch (ModelSwapException e) {
      return e.report();
    }
  }

  private static String summary(List<Spoken> answers) {
    long cached = answers.stream().mapToLong(Spoken::cachedTokens).sum();
    long prompt = answers.stream().mapToLong(Spoken::promptTokens).sum();
    return "%d answers; %d of %d prompt tokens were remembered, not computed again"
        .formatted(answers.size(), cached, prompt);
  }
}
