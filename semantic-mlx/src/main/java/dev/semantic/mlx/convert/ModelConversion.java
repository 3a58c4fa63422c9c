package dev.semantic.mlx.convert;

import dev.semantic.memory.ByteSize;
import dev.semantic.mlx.array.DType;
import dev.semantic.mlx.checkpoint.Checkpoint;
import dev.semantic.mlx.checkpoint.Checkpoints;
import dev.semantic.mlx.checkpoint.LostPages;
import dev.semantic.mlx.quant.AffineQuantizer;
import dev.semantic.model.ModelException;
import dev.semantic.spi.LoadProgress;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CancellationException;
import java.util.stream.Collectors;

/**
 * Writes a model as a directory in MLX's layout, which mlx-lm loads as well as this library: from a
 * GGUF file or from another such directory, with its weights as they are, in another number format,
 * or quantised. Each call of {@link #write} is one conversion; any thread, which does the work
 * together with the JVM's common pool.
 *
 * <p>Weights stay what they are unless something else is asked for; a directory's are rounded to
 * the number format that its configuration names, where they have another. Of GGUF's forms Q4_0,
 * Q4_1, Q4_K, Q5_0, Q5_1, Q5_K and Q8_0 have an equal in MLX, to the bit; Q6_K has none and is
 * written out as numbers.
 */
public final class ModelConversion {
  /** Number formats of weights that are not quantised, and of scales. */
  public enum Dtype {
    FLOAT32(DType.FLOAT32),
    FLOAT16(DType.FLOAT16),
    BFLOAT16(DType.BFLOAT16);

    private final DType type;

    Dtype(DType type) {
      this.type = type;
    }

    DType type() {
      return type;
    }

    /** By the name that mlx-lm has for it, {@code bfloat16} for example; empty for any other. */
    public static Optional<Dtype> parse(String name) {
      return Arrays.stream(values()).filter(each -> each.toString().equals(name)).findFirst();
    }

    /** That name. */
    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** Widths of integers that weights can be quantised to. */
  public static final List<Integer> BITS = AffineQuantizer.BITS;

  /** How many weights may share a scale. */
  public static final List<Integer> GROUP_SIZES = AffineQuantizer.GROUP_SIZES;

  private final Path source;
  private final ConversionOptions options;

  private ModelConversion(Path source, ConversionOptions options) {
    this.source = source;
    this.options = options;
  }

  /**
   * A conversion to be described.
   *
   * @param source a GGUF file, or a directory in MLX's layout
   */
  public static Builder of(Path source) {
    return new Builder(source);
  }

  /**
   * Converts. The directory appears whole or not at all: it is written beside its place, read back,
   * and renamed.
   *
   * @param target a directory that is not there yet or is empty; its parent is there
   * @throws ModelException if the source cannot be read, the target is taken, or the disk is full;
   *     nothing is left then
   * @throws CancellationException if the progress says so, or the thread is interrupted
   */
  public ConvertedModel write(Path target) {
    if (Thread.currentThread().isInterrupted()) {
      throw cancelled(new InterruptedException());
    }
    try (Checkpoint checkpoint = Checkpoints.open(source)) {
      Plan plan = Plan.of(checkpoint, options);
      AuxiliaryFiles beside = AuxiliaryFiles.of(checkpoint);
      long bytes = plan.bytes() + beside.bytes();
      try (TargetDirectory place = TargetDirectory.open(target, bytes)) {
        return write(checkpoint, plan, beside, place);
      }
    } catch (ModelException e) {
      throw e.getCause() instanceof ClosedChannelException ? cancelled(e) : e;
    } catch (InternalError e) {
      throw LostPages.refusal(source, e);
    } catch (ClosedChannelException e) {
      throw cancelled(e);
    } catch (IOException e) {
      throw new ModelException(
          ModelException.Kind.of(e),
          "Cannot convert %s to %s: %s".formatted(source, target, message(e)),
          e);
    }
  }

  private ConvertedModel write(
      Checkpoint checkpoint, Plan plan, AuxiliaryFiles beside, TargetDirectory place)
      throws IOException {
    List<ShardLayout> shards = ShardLayout.of(plan.tensors(), options.shardSize().bytes());
    beside.writeTo(place);
    place.writeJson("config.json", ConfigJson.of(checkpoint, plan, beside));
    if (shards.size() > 1) {
      place.writeJson("model.safetensors.index.json", ShardLayout.index(shards));
    }
    boolean exact =
        new WeightWriter(checkpoint, options.progress(), plan.bytes()).write(shards, place);
    checkpoint.verifyUnchanged();
    String architecture;
    String quantization;
    try (Checkpoint written = Checkpoints.open(place.path())) {
      architecture = written.config().text("model_type");
      quantization = written.quantization();
    }
    long size = place.bytes();
    Map<String, Integer> matrices =
        plan.matrices().stream()
            .collect(
                Collectors.toMap(each -> each.form().label(), _ -> 1, Integer::sum, TreeMap::new));
    return new ConvertedModel(
        place.publish(),
        architecture,
        quantization,
        matrices,
        8.0 * plan.bytes() / checkpoint.parameters(),
        shards.stream().map(ShardLayout::fileName).toList(),
        size,
        exact);
  }

  private static CancellationException cancelled(Throwable cause) {
    CancellationException cancelled =
        new CancellationException("The conversion was interrupted; nothing is left of it");
    cancelled.initCause(cause);
    return cancelled;
  }

  /** What the exceptions of java.nio leave out is what went wrong. */
  private static String message(IOException e) {
    return e instanceof FileSystemException file && file.getReason() == null
        ? "%s (%s)".formatted(e.getMessage(), e.getClass().getSimpleName())
        : String.valueOf(e.getMessage());
  }

  /** What is asked of a conversion; with nothing asked, weights stay as they are. */
  public static final class Builder {
    private static final ByteSize SHARD = ByteSize.ofGiB(5);

    private final Path source;
    private Optional<Integer> bits = Optional.empty();
    private int groupSize = 64;
    private boolean dequantize;
    private Optional<Dtype> dtype = Optional.empty();
    private ByteSize shardSize = SHARD;
    private LoadProgress progress = LoadProgress.NONE;

    private Builder(Path source) {
      this.source = source;
    }

    /**
     * Quantises every matrix whose rows are whole groups, as {@code mlx_lm.convert} does.
     *
     * @param width of {@link ModelConversion#BITS}
     * @param group of {@link ModelConversion#GROUP_SIZES}
     */
    public Builder quantize(int width, int group) {
      if (!BITS.contains(width)) {
        throw new IllegalArgumentException("%d bits; MLX has %s".formatted(width, BITS));
      }
      if (!GROUP_SIZES.contains(group)) {
        throw new IllegalArgumentException(
            "groups of %d; MLX has %s".formatted(group, GROUP_SIZES));
      }
      bits = Optional.of(width);
      groupSize = group;
      return this;
    }

    /** Writes quantised matrices out as numbers. */
    public Builder dequantize() {
      dequantize = true;
      return this;
    }

    /**
     * Rounds what is not quantised, and scales, to this format; without it a directory's are
     * rounded to what its configuration names, as {@code mlx_lm.convert} does, and a GGUF file's
     * stay.
     */
    public Builder dtype(Dtype value) {
      dtype = Optional.of(value);
      return this;
    }

    /** The most bytes of weights in one file; 5 GiB unless told otherwise. */
    public Builder shardSize(ByteSize value) {
      if (value.bytes() < 1) {
        throw new IllegalArgumentException("No weight fits in a file of " + value);
      }
      shardSize = value;
      return this;
    }

    /** Hears how many bytes of weights have been written, and can call it off. */
    public Builder progress(LoadProgress value) {
      progress = value;
      return this;
    }

    /** The conversion. */
    public ModelConversion build() {
      if (dequantize && bits.isPresent()) {
        throw new IllegalArgumentException("Either quantised or dequantised, not both");
      }
      return new ModelConversion(
          source, new ConversionOptions(bits, groupSize, dequantize, dtype, shardSize, progress));
    }
  }
}
