package dev.semantic.mlx;

import dev.semantic.memory.ByteSize;
import dev.semantic.memory.MemoryBudget;
import dev.semantic.memory.MemoryProbe;
import dev.semantic.mlx.architecture.ModelDescription;
import dev.semantic.mlx.array.MlxSession;
import dev.semantic.mlx.checkpoint.Checkpoint;
import dev.semantic.mlx.checkpoint.Checkpoints;
import dev.semantic.mlx.layers.Transformer;
import dev.semantic.mlx.load.ComputePolicy;
import dev.semantic.mlx.load.ComputePolicy.WeightFormat;
import dev.semantic.mlx.models.FetchProgress;
import dev.semantic.mlx.models.ModelCatalog;
import dev.semantic.mlx.models.ModelFetcher;
import dev.semantic.mlx.tokenizer.PendingCodec;
import dev.semantic.model.KvLayout;
import dev.semantic.model.KvPrecision;
import dev.semantic.model.ModelException;
import dev.semantic.model.ModelId;
import dev.semantic.model.ModelSpec;
import dev.semantic.model.ModelTag;
import dev.semantic.spi.LoadProgress;
import dev.semantic.spi.ModelRuntime;
import dev.semantic.spi.PreparedModel;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Models in MLX, from GGUF files and from directories in MLX's own layout. Any thread may call; the
 * native work happens on MLX's own thread.
 */
public final class MlxModelRuntime implements ModelRuntime {
  /** What the working set is told for where nobody names a context. */
  private static final int LONG_CONTEXT = 4096;

  private final Mlx mlx;
  private final ModelCatalog catalog;
  private final MemoryBudget budget;

  private final @Nullable WeightFormat weightFormat;
  private final OpenModels models;

  private MlxModelRuntime(
      Mlx mlx, ModelCatalog catalog, MemoryBudget budget, @Nullable WeightFormat weightFormat) {
    this.mlx = mlx;
    this.catalog = catalog;
    this.budget = budget;
    this.weightFormat = weightFormat;
    this.models = new OpenModels(mlx.session());
  }

  /**
   * Opens MLX on the best device there is.
   *
   * @throws MlxException if MLX cannot be loaded; the message says what to do
   */
  public static MlxModelRuntime open() {
    return open(ModelCatalog.ofUser());
  }

  /** The same, with another idea of which names stand for which files. */
  public static MlxModelRuntime open(ModelCatalog catalog) {
    Mlx mlx = Mlx.open();
    return new MlxModelRuntime(mlx, catalog, mlx.budget(), null);
  }

  /**
   * The same, with another idea of how much memory there is: on a CPU a model is computed in
   * float32, which is fastest, where the budget holds that, else in a form of fewer bytes. A
   * registry that is given no budget has the same.
   */
  public static MlxModelRuntime open(ModelCatalog catalog, MemoryBudget budget) {
    return new MlxModelRuntime(Mlx.open(), catalog, budget, null);
  }

  /** Computes every model in one form, whatever is best. */
  static MlxModelRuntime open(WeightFormat weightFormat) {
    return new MlxModelRuntime(
        Mlx.open(), ModelCatalog.ofUser(), MemoryBudget.ofSystem(), weightFormat);
  }

  /** From the hub, or as the catalogue knows; needs MLX for nothing. */
  @Override
  public void fetch(ModelId id, LoadProgress progress) {
    new ModelFetcher(catalog).fetchIfMissing(id, FetchProgress.of(progress));
  }

  @Override
  public PreparedModel prepare(ModelId id) {
    models.requireOpen();
    Path path = catalog.resolve(id);
    Checkpoint checkpoint = opened(id, path);
    try {
      PendingCodec text = ModelChat.text(checkpoint);
      ComputePolicy policy = policy(checkpoint);
      return new MlxPreparedModel(
          mlx.session(), models, checkpoint, policy, spec(id, checkpoint, policy, text), text);
    } catch (ModelException e) {
      checkpoint.close();
      throw cannotLoad(id, e);
    } catch (RuntimeException | Error e) {
      checkpoint.close();
      throw e;
    }
  }

  private static Checkpoint opened(ModelId id, Path path) {
    try {
      return Checkpoints.open(path);
    } catch (ModelException e) {
      throw cannotLoad(id, e);
    }
  }

  private static ModelException cannotLoad(ModelId id, ModelException e) {
    return new ModelException(e.kind(), "Cannot load %s: %s".formatted(id, e.getMessage()), e);
  }

  ComputePolicy policy(Checkpoint checkpoint) {
    if (weightFormat != null) {
      return ComputePolicy.of(weightFormat, checkpoint, mlx.computes());
    }
    ComputePolicy.Device device = mlx.computes();
    ComputePolicy small = ComputePolicy.of(WeightFormat.QUANTISED, checkpoint, device);
    return ComputePolicy.choose(checkpoint, device, budget, working(checkpoint, small));
  }

  private ModelSpec spec(
      ModelId id, Checkpoint checkpoint, ComputePolicy policy, PendingCodec text) {
    ModelDescription description = checkpoint.decoder();
    KvLayout layout = Transformer.kvLayout(description);
    KvPrecision precision = policy.kvPrecision();
    return new ModelSpec(
        id,
        new ModelTag(
            shortName(checkpoint.path()),
            ModelFingerprint.of(checkpoint, layout, policy, mlx.device())),
        architecture(checkpoint),
        checkpoint.parameters(),
        description.hiddenSize(),
        description.vocabularySize(),
        description.contextLength(),
        checkpoint.quantization(),
        policy.label(checkpoint),
        layout,
        precision,
        new ByteSize(checkpoint.fileBytes()),
        new ByteSize(policy.weightBytes(checkpoint)),
        working(checkpoint, policy),
        text.hasChatTemplate(),
        ModelDefaults.of(checkpoint.path()),
        text.facts());
  }

  /**
   * What a model takes of memory before anybody has said anything: weights in the form that this
   * device computes with, and what a chunk of a prompt needs behind 4,096 tokens, as {@link
   * ModelSpec#workingSize()} has it. Reads headers only.
   *
   * @param model a model's file or directory
   * @throws ModelException if it cannot be loaded
   */
  public ByteSize footprint(Path model) {
    try (Checkpoint checkpoint = Checkpoints.open(model)) {
      ComputePolicy policy = policy(checkpoint);
      ByteSize weights = new ByteSize(policy.weightBytes(checkpoint));
      return weights.plus(working(checkpoint, policy));
    }
  }

  /**
   * The same for agents that come to a context of so many tokens each.
   *
   * @throws ModelException if the model cannot be loaded
   */
  public MemoryForecast forecast(ModelId id, int context, int agents) {
    if (context < 1 || agents < 0) {
      throw new IllegalArgumentException(
          "No forecast for %d agents with %d tokens".formatted(agents, context));
    }
    try (Checkpoint checkpoint = opened(id, catalog.resolve(id))) {
      ComputePolicy policy = policy(checkpoint);
      KvLayout layout = Transformer.kvLayout(checkpoint.decoder());
      return new MemoryForecast(
          new ByteSize(policy.weightBytes(checkpoint)),
          MemoryForecast.caches(layout, policy.kvPrecision(), context, agents),
          MemoryForecast.working(
              checkpoint.decoder(), policy.kvPrecision(), context, policy.kernelsBetween()));
    }
  }

  /**
   * In which form a model is computed within the budget; reads headers only.
   *
   * @param model a model's file or directory
   * @return as {@link ModelSpec#compute()} has it
   * @throws ModelException if it cannot be loaded
   */
  public String compute(Path model) {
    try (Checkpoint checkpoint = Checkpoints.open(model)) {
      return policy(checkpoint).label(checkpoint);
    }
  }

  /** By the name that the file has for it. */
  private static String architecture(Checkpoint checkpoint) {
    Object gguf = checkpoint.metadata().get("general.architecture");
    return gguf == null ? checkpoint.config().text("model_type") : gguf.toString();
  }

  private static ByteSize working(Checkpoint checkpoint, ComputePolicy policy) {
    return MemoryForecast.working(
        checkpoint.decoder(), policy.kvPrecision(), LONG_CONTEXT, policy.kernelsBetween());
  }

  /** The file's name, however it was asked for, in the letters a directory may have. */
  private static String shortName(Path file) {
    String last = String.valueOf(named(file).getFileName()).replaceFirst("^models--", "");
    String plain = last.replaceAll("(?i)\\.gguf$", "").replaceAll("[^A-Za-z0-9._-]", "-");
    String begun = plain.replaceAll("^[^A-Za-z0-9]+", "");
    String name = begun.isEmpty() ? "model" : begun;
    return name.substring(0, Math.min(name.length(), 100));
  }

  /** A snapshot of the hub's cache is called by its commit; its repository's name says more. */
  private static Path named(Path file) {
    Path snapshots = file.toAbsolutePath().normalize().getParent();
    if (snapshots == null || !snapshots.endsWith("snapshots") || !Files.isDirectory(file)) {
      return file;
    }
    Path repository = snapshots.getParent();
    return repository == null ? file : repository;
  }

  /** What it was opened with, else what suits the device. */
  @Override
  public MemoryBudget budget() {
    return budget;
  }

  @Override
  public MemoryProbe memory() {
    return mlx.memory();
  }

  /**
   * Frees every array there is in this process, for MLX is one, whoever opened it: models of
   * another such runtime are closed too, and loads under way end as if they were cancelled.
   */
  @Override
  public boolean restart() {
    MlxSession session = mlx.session();
    session.owner().run(session::closeScopes);
    mlx.memory().releaseCached();
    return true;
  }

  /** The MLX this runtime computes with. */
  public Mlx mlx() {
    return mlx;
  }

  /**
   * Closes every model that was prepared or loaded by this runtime and ends its loads; what others
   * have in the same process stays.
   */
  @Override
  public void close() {
    models.close();
    mlx.close();
  }
}
