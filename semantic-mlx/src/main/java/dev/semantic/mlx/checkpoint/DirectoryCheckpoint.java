package dev.semantic.mlx.checkpoint;

import dev.semantic.mlx.architecture.ModelConfig;
import dev.semantic.mlx.architecture.ModelDescription;
import dev.semantic.mlx.array.DType;
import dev.semantic.mlx.checkpoint.SafetensorsHeader.Entry;
import dev.semantic.mlx.checkpoint.Shards.Placed;
import dev.semantic.mlx.files.ModelDirectory;
import dev.semantic.mlx.files.Sha256;
import dev.semantic.mlx.models.UserCache;
import dev.semantic.mlx.quant.AffineFormat;
import dev.semantic.mlx.quant.AffineRows;
import dev.semantic.mlx.quant.Dequantizer;
import dev.semantic.mlx.quant.TensorType;
import dev.semantic.model.ModelException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/** A model in MLX's directory layout: a configuration and safetensors files, mapped into memory. */
final class DirectoryCheckpoint implements Checkpoint {
  private static final String WEIGHT = ".weight";
  private static final String SCALES = ".scales";
  private static final String BIASES = ".biases";

  /** What decides, beside the weights, what a conversation becomes. */
  private static final List<String> OTHER_FILES =
      List.of(
          ModelDirectory.CONFIG, "tokenizer.json", "tokenizer_config.json", "chat_template.jinja");

  private final ModelDirectory directory;
  private final Shards shards;
  private final ModelConfig config;
  private final ModelDescription description;
  private final QuantizationConfig quantization;
  private final Map<String, FileIdentity> others = new LinkedHashMap<>();
  private final Map<String, TensorInfo> tensors = new LinkedHashMap<>();
  private final Set<DType> formats = new HashSet<>();

  private DirectoryCheckpoint(ModelDirectory directory, ModelConfig config, Shards shards) {
    this.directory = directory;
    this.config = config;
    this.shards = shards;
    this.description = TensorChecks.describe(config);
    this.quantization = QuantizationConfig.of(config);
    for (String name : OTHER_FILES) {
      directory.optional(name).ifPresent(file -> others.put(name, FileIdentity.of(file)));
    }
    bind();
  }

  static DirectoryCheckpoint open(Path path) {
    ModelDirectory directory = ModelDirectory.of(path);
    ModelConfig config =
        new ModelConfig(ModelDirectory.CONFIG, directory.json(ModelDirectory.CONFIG));
    TensorChecks.describe(config); // before anything large is opened
    Shards shards = Shards.open(directory);
    try {
      return new DirectoryCheckpoint(directory, config, shards);
    } catch (RuntimeException | Error e) {
      shards.close();
      throw e;
    }
  }

  private void bind() {
    Set<String> unknown = new HashSet<>(shards.tensors().keySet());
    boolean ownHead = shards.find(description.prefix() + "lm_head" + WEIGHT) != null;
    description
        .tensors(ownHead)
        .forEach(
            (name, shape) -> {
              Placed placed = require(name);
              unknown.remove(name);
              String module = module(name);
              if (name.endsWith(WEIGHT) && shards.find(module + SCALES) != null) {
                tensors.put(name, affine(module, placed, shape));
                unknown.remove(module + SCALES);
                unknown.remove(module + BIASES);
              } else {
                tensors.put(name, plain(placed, shape));
              }
            });
    unknown.removeIf(this::isNotOurs);
    for (String name : unknown.stream().sorted().limit(1).toList()) {
      throw TensorChecks.unknown(name, require(name).file().path(), config);
    }
  }

  private static String module(String name) {
    return name.substring(0, name.lastIndexOf('.'));
  }

  /** What a model of this kind may have in its files and does not compute with. */
  private boolean isNotOurs(String name) {
    boolean outside = !description.prefix().isEmpty() && !name.startsWith(description.prefix());
    boolean spareHead =
        description.head() == ModelDescription.Head.EMBEDDING
            && name.startsWith(description.prefix() + "lm_head.");
    return outside || spareHead || name.endsWith("rotary_emb.inv_freq");
  }

  private Placed require(String name) {
    Placed placed = shards.find(name);
    if (placed == null) {
      throw TensorChecks.missing(name, directory.path().toAbsolutePath(), config, description);
    }
    return placed;
  }

  private TensorInfo plain(Placed placed, int[] expected) {
    Entry entry = placed.entry();
    TensorChecks.requireShape(
        description, entry.name(), placed.file().path(), entry.shape(), expected);
    TensorType type =
        plain(entry.dtype())
            .orElseThrow(
                () ->
                    new ModelException(
                        ModelException.Kind.UNSUPPORTED,
                        "tensor %s in %s is of %s, expected F32, F16 or BF16, or scales beside it"
                            .formatted(
                                entry.name(), placed.file().path().getFileName(), entry.dtype())));
    formats.add(type.numbers());
    return new TensorInfo(entry.name(), expected, type, entry.offset());
  }

  private TensorInfo affine(String module, Placed weight, int[] expected) {
    Placed scales = require(module + SCALES);
    AffineFormat format = quantization.of(module, weight.entry(), scales.entry(), expected);
    Placed biases = require(module + BIASES);
    if (!biases.entry().dtype().equals(scales.entry().dtype())) {
      throw new ModelException(
          ModelException.Kind.DAMAGED,
          "tensor %s is of %s, expected %s like its scales"
              .formatted(biases.entry().name(), biases.entry().dtype(), scales.entry().dtype()));
    }
    TensorChecks.requireShape(
        description,
        biases.entry().name(),
        biases.file().path(),
        biases.entry().shape(),
        scales.entry().shape());
    formats.add(format.numbers());
    return new TensorInfo(weight.entry().name(), expected, format, weight.entry().offset());
  }

  /** A format of plain numbers, by safetensors' name for it. */
  static Optional<TensorType> plain(String dtype) {
    return switch (dtype) {
      case "F32" -> Optional.of(TensorType.F32);
      case "F16" -> Optional.of(TensorType.F16);
      case "BF16" -> Optional.of(TensorType.BF16);
      default -> Optional.empty();
    };
  }

  @Override
  public ModelConfig config() {
    return config;
  }

  @Override
  public ModelDescription decoder() {
    return description;
  }

  @Override
  public Path path() {
    return directory.path();
  }

  /** Where formats are mixed the widest decides, as MLX's promotion has it. */
  @Override
  public Optional<DType> numbers() {
    return Optional.of(formats.size() == 1 ? formats.iterator().next() : DType.FLOAT32);
  }

  @Override
  public boolean normsAreWhole() {
    return false;
  }

  @Override
  public long fileBytes() {
    return shards.bytes();
  }

  @Override
  public Map<String, TensorInfo> tensors() {
    return tensors;
  }

  @Override
  public Map<String, Object> metadata() {
    return Map.of();
  }

  @Override
  public void expand(String name, int first, int count, float[] to, Buffers buffers) {
    TensorInfo tensor = info(name);
    int numbers = Math.multiplyExact(count, tensor.columns());
    switch (tensor.type()) {
      case TensorType type ->
          Dequantizer.expand(type, rows(name, tensor, first, count, buffers), numbers, to);
      case AffineFormat format -> {
        AffineRows rows = buffers.rows(count, tensor.columns(), format);
        pack(name, first, count, rows, buffers);
        AffineFormat.expand(rows, numbers, to);
      }
    }
  }

  @Override
  public void pack(String name, int first, int count, AffineRows to, Buffers buffers) {
    TensorInfo tensor = info(name);
    AffineFormat format = (AffineFormat) tensor.type();
    String module = module(name);
    long packed = count * format.packedBytes(tensor.columns());
    rows(name, tensor, first, count, MemorySegment.ofArray(to.weights()).asSlice(0, packed));
    int groups = Math.multiplyExact(count, tensor.columns() / format.groupSize());
    for (String part : List.of(SCALES, BIASES)) {
      Dequantizer.expand(
          format.scales(),
          rows(module + part, tensor, first, count, buffers),
          groups,
          part.equals(SCALES) ? to.scales() : to.biases());
    }
  }

  /** Integers go from the file to where they stay: they are the bulk of it. */
  @Override
  public void pack(
      String name,
      int first,
      int count,
      MemorySegment weights,
      float[] scales,
      float[] biases,
      Buffers buffers) {
    TensorInfo tensor = info(name);
    AffineFormat format = (AffineFormat) tensor.type();
    String module = module(name);
    rows(name, tensor, first, count, weights);
    int groups = Math.multiplyExact(count, tensor.columns() / format.groupSize());
    byte[] numbers = rows(module + SCALES, tensor, first, count, buffers);
    Dequantizer.expand(format.scales(), numbers, groups, scales);
    numbers = rows(module + BIASES, tensor, first, count, buffers);
    Dequantizer.expand(format.scales(), numbers, groups, biases);
  }

  @Override
  public void copy(String name, int first, int count, MemorySegment to) {
    rows(name, info(name), first, count, to);
  }

  private FileRange part(String name, TensorInfo matrix, int first, int count) {
    Placed placed = require(name);
    long perRow = rowBytes(name, matrix);
    return new FileRange(placed.file(), placed.entry().offset() + first * perRow, count * perRow);
  }

  private byte[] rows(String name, TensorInfo matrix, int first, int count, Buffers buffers) {
    byte[] bytes = buffers.bytes(count * rowBytes(name, matrix));
    rows(name, matrix, first, count, MemorySegment.ofArray(bytes));
    return bytes;
  }

  /** Rows of a matrix, or of what lies beside it. */
  private void rows(String name, TensorInfo matrix, int first, int count, MemorySegment to) {
    Placed placed = require(name);
    long perRow = rowBytes(name, matrix);
    long at = placed.entry().offset() + first * perRow;
    placed.file().copy(at, to, count * perRow);
  }

  private long rowBytes(String name, TensorInfo matrix) {
    return require(name).entry().bytes() / matrix.rows();
  }

  @Override
  public List<FileRange> parts(String name, int first, int count) {
    TensorInfo matrix = info(name);
    return matrix.type() instanceof AffineFormat
        ? List.of(
            part(name, matrix, first, count),
            part(module(name) + SCALES, matrix, first, count),
            part(module(name) + BIASES, matrix, first, count))
        : List.of(part(name, matrix, first, count));
  }

  @Override
  public byte[] fingerprint() {
    UserCache cache = UserCache.ofUser();
    MessageDigest digest = Sha256.digest();
    Map<String, FileIdentity> all = new TreeMap<>(others);
    for (MappedFile file : shards.files()) {
      all.put(String.valueOf(file.path().getFileName()), file.identity());
    }
    List<byte[]> each = // of gigabytes each, and one core does not read them as fast as a disk
        all.values().parallelStream()
            .map(identity -> Fingerprints.of(cache, identity.path(), identity))
            .toList();
    int i = 0;
    for (String name : all.keySet()) {
      digest.update(name.getBytes(StandardCharsets.UTF_8));
      digest.update((byte) 0);
      digest.update(each.get(i++));
    }
    return digest.digest();
  }

  @Override
  public void verifyUnchanged() {
    shards.files().forEach(MappedFile::verifyUnchanged);
    others.forEach(
        (name, identity) -> {
          if (!FileIdentity.of(directory.path().resolve(name)).equals(identity)) {
            throw new ModelException(
                ModelException.Kind.CHANGED,
                "%s in %s has changed since it was checked; prepare it again"
                    .formatted(name, directory.path()));
          }
        });
  }

  @Override
  public void close() {
    shards.close();
  }
}
