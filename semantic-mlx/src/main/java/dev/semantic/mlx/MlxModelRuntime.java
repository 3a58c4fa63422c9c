package dev.semantic.mlx;

import dev.semantic.memory.ByteSize;
import dev.semantic.memory.MemoryProbe;
import dev.semantic.mlx.array.MlxSession;
import dev.semantic.mlx.model.Architecture;
import dev.semantic.mlx.store.FetchProgress;
import dev.semantic.mlx.store.ModelCatalog;
import dev.semantic.mlx.store.ModelFetcher;
import dev.semantic.mlx.text.ModelText;
import dev.semantic.mlx.text.Tokenizers;
import dev.semantic.mlx.weights.Checkpoint;
import dev.semantic.mlx.weights.Checkpoints;
import dev.semantic.mlx.weights.ComputePolicy;
import dev.semantic.mlx.weights.ModelConfig;
import dev.semantic.model.KvLayout;
import dev.semantic.model.KvPrecision;
import dev.semantic.model.ModelId;
import dev.semantic.model.ModelSpec;
import dev.semantic.model.ModelTag;
import dev.semantic.spi.LoadProgress;
import dev.semantic.spi.ModelRuntime;
import dev.semantic.spi.PreparedModel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.function.Supplier;

/**
 * Models in MLX, from GGUF files. Any thread may call; the native work happens on MLX's own thread.
 */
public final class MlxModelRuntime implements ModelRuntime {
  /** Part of every tag: raise it when the same files begin to give other keys and values. */
  private static final int ARITHMETIC = 1;

  /** What the working set is estimated for: tokens of a prompt at a time, behind how many. */
  private static final long CHUNK = 512;

  private static final long LONG_CONTEXT = 4096;
  private static final long BATCH = 16;

  private final Mlx mlx;
  private final ModelCatalog catalog;
  private final ComputePolicy policy;

  private MlxModelRuntime(Mlx mlx, ModelCatalog catalog) {
    this.mlx = mlx;
    this.catalog = catalog;
    this.policy = ComputePolicy.forDevice(mlx.gpu());
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
    return new MlxModelRuntime(Mlx.open(), catalog);
  }

  /** From the hub, or as the catalogue knows; needs MLX for nothing. */
  @Override
  public void fetch(ModelId id, LoadProgress progress) {
    new ModelFetcher(catalog).fetchIfMissing(id, FetchProgress.of(progress));
  }

  @Override
  public PreparedModel prepare(ModelId id) {
    Path path = catalog.resolve(id);
    Checkpoint checkpoint = Checkpoints.open(path);
    try {
      Supplier<ModelText> text = Tokenizers.open(checkpoint.path(), checkpoint.metadata());
      return new MlxPreparedModel(mlx.session(), checkpoint, policy, spec(id, checkpoint), text);
    } catch (RuntimeException | Error e) {
      checkpoint.close();
      throw e;
    }
  }

  private ModelSpec spec(ModelId id, Checkpoint checkpoint) {
    ModelConfig config = checkpoint.config();
    KvLayout layout = Architecture.of(config).kvLayout();
    KvPrecision precision = policy.kvPrecision();
    return new ModelSpec(
        id,
        new ModelTag(shortName(checkpoint.path()), fingerprint(checkpoint, layout, precision)),
        config.architecture(),
        checkpoint.parameters(),
        config.hiddenSize(),
        config.vocabularySize(),
        config.contextLength(),
        checkpoint.quantization(),
        layout,
        precision,
        new ByteSize(checkpoint.fileBytes()),
        new ByteSize(policy.weightBytes(checkpoint)),
        new ByteSize(workingBytes(config)));
  }

  /**
   * What a model takes of memory before anybody has said anything: weights in the form that this
   * device computes with, and what a chunk of a prompt needs. Reads headers only.
   *
   * @param model a model's file or directory
   * @throws dev.semantic.model.ModelException if it cannot be loaded
   */
  public ByteSize footprint(Path model) {
    try (Checkpoint checkpoint = Checkpoints.open(model)) {
      return new ByteSize(policy.weightBytes(checkpoint) + workingBytes(checkpoint.config()));
    }
  }

  /** A chunk of a prompt in the layers and in attention, and the logits of a batch; float32. */
  private static long workingBytes(ModelConfig config) {
    long layers = CHUNK * (6L * config.hiddenSize() + 4L * config.intermediateSize());
    long scores = 2L * config.heads() * CHUNK * Math.min(config.contextLength(), LONG_CONTEXT);
    long logits = 2L * BATCH * config.vocabularySize();
    return Float.BYTES * (layers + scores + logits);
  }

  /** The checkpoint's own fingerprint, and all else that decides what its keys and values are. */
  private String fingerprint(Checkpoint checkpoint, KvLayout layout, KvPrecision precision) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update(checkpoint.fingerprint());
      String form = "%d|%s|%s|%s|%s".formatted(ARITHMETIC, layout, precision, policy, mlx.device());
      digest.update(form.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("Every JDK has SHA-256", e);
    }
  }

  /** The file's name, however it was asked for, in the letters a directory may have. */
  private static String shortName(Path file) {
    String last = String.valueOf(file.getFileName());
    String plain = last.replaceAll("(?i)\\.gguf$", "").replaceAll("[^A-Za-z0-9._-]", "-");
    String begun = plain.replaceAll("^[^A-Za-z0-9]+", "");
    String name = begun.isEmpty() ? "model" : begun;
    return name.substring(0, Math.min(name.length(), 100));
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

  @Override
  public void close() {
    mlx.close();
  }
}
