package dev.semantic.mlx.checkpoint;

import dev.semantic.mlx.architecture.AttentionSpec;
import dev.semantic.mlx.architecture.ModelConfig;
import dev.semantic.mlx.architecture.ModelDescription;
import dev.semantic.mlx.array.DType;
import dev.semantic.mlx.files.Sha256;
import dev.semantic.mlx.models.UserCache;
import dev.semantic.mlx.quant.AffinePacking;
import dev.semantic.mlx.quant.AffineRows;
import dev.semantic.mlx.quant.Dequantizer;
import dev.semantic.mlx.quant.TensorType;
import dev.semantic.model.ModelException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/** A GGUF file, or the parts of one, mapped into memory. */
final class GgufCheckpoint implements Checkpoint {
  private final GgufShards shards;
  private final ModelConfig config;
  private final ModelDescription description;
  private final Map<String, TensorInfo> tensors;

  private GgufCheckpoint(GgufShards shards) {
    this.shards = shards;
    this.config =
        GgufConfig.of(shards.path(), shards.metadata(), shards.tensors(), this::ropeFactors);
    this.description = TensorChecks.describe(config);
    this.tensors = bound();
  }

  static GgufCheckpoint open(Path path) {
    GgufShards shards = GgufShards.open(path);
    try {
      return new GgufCheckpoint(shards);
    } catch (RuntimeException | Error e) {
      shards.close();
      throw e;
    }
  }

  private Map<String, TensorInfo> bound() {
    Map<String, TensorInfo> found = new LinkedHashMap<>();
    Set<String> unknown = new HashSet<>(shards.tensors().keySet());
    boolean sandwich = description.layers().stream().anyMatch(ModelDescription.Layer::sandwich);
    boolean ownHead = shards.tensors().containsKey("output.weight");
    description
        .tensors(ownHead)
        .forEach(
            (name, shape) -> {
              String there = GgufNames.of(name, sandwich);
              TensorInfo tensor = shards.tensors().get(there);
              if (tensor == null) {
                throw TensorChecks.missing(there, shards.path(), config, description);
              }
              TensorChecks.requireShape(description, there, shards.path(), tensor.shape(), shape);
              found.put(name, tensor);
              unknown.remove(there);
            });
    unknown.removeAll(GgufNames.OF_POSITIONS);
    unknown.stream()
        .sorted()
        .findFirst()
        .ifPresent(
            name -> {
              throw TensorChecks.unknown(name, shards.path(), config);
            });
    return found;
  }

  private Optional<List<Float>> ropeFactors(String name) {
    TensorInfo tensor = shards.tensors().get(name);
    if (tensor == null) {
      return Optional.empty();
    }
    if (tensor.shape().length != 1) {
      throw new ModelException(
          ModelException.Kind.DAMAGED,
          "%s: tensor %s is %s, expected one row"
              .formatted(shards.path(), tensor.name(), Arrays.toString(tensor.shape())));
    }
    float[] factors = new float[tensor.columns()];
    Dequantizer.expand(
        block(tensor),
        shards.file(tensor).bytes(tensor.offset(), tensor.bytes()),
        factors.length,
        factors);
    return Optional.of(IntStream.range(0, factors.length).mapToObj(i -> factors[i]).toList());
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
    return shards.path();
  }

  @Override
  public Optional<DType> numbers() {
    return Optional.empty();
  }

  @Override
  public boolean normsAreWhole() {
    return true;
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
    return shards.metadata();
  }

  @Override
  public void expand(String name, int first, int count, float[] to, Buffers buffers) {
    TensorInfo tensor = info(name);
    Dequantizer.expand(
        block(tensor),
        rows(name, tensor, first, count, buffers),
        Math.multiplyExact(count, tensor.columns()),
        to);
  }

  @Override
  public void pack(String name, int first, int count, AffineRows to, Buffers buffers) {
    TensorInfo tensor = info(name);
    AffinePacking.pack(
        block(tensor),
        rows(name, tensor, first, count, buffers),
        count * (tensor.columns() / AffinePacking.GROUP),
        to);
  }

  @Override
  public void copy(String name, int first, int count, MemorySegment to) {
    rows(name, info(name), first, count, to);
  }

  private static TensorType block(TensorInfo tensor) {
    return (TensorType) tensor.type();
  }

  @Override
  public List<FileRange> parts(String name, int first, int count) {
    TensorInfo tensor = info(name);
    long perRow = tensor.type().rowBytes(tensor.columns());
    return List.of(
        new FileRange(shards.file(tensor), tensor.offset() + first * perRow, count * perRow));
  }

  private byte[] rows(String name, TensorInfo tensor, int first, int count, Buffers buffers) {
    byte[] bytes = buffers.bytes(count * tensor.type().rowBytes(tensor.columns()));
    rows(name, tensor, first, count, MemorySegment.ofArray(bytes));
    return bytes;
  }

  /** Rows in the order of Hugging Face, whatever order the file has them in. */
  private void rows(String name, TensorInfo tensor, int first, int count, MemorySegment to) {
    AttentionSpec attention = description.layers().getFirst().attention();
    Optional<Integer> heads =
        GgufNames.interleavedHeads(
            config.text("model_type"), attention.heads(), attention.kvHeads(), name);
    long perRow = tensor.type().rowBytes(tensor.columns());
    long at = tensor.offset() + first * perRow;
    if (heads.isEmpty()) {
      shards.file(tensor).copy(at, to, count * perRow);
    } else if (tensor.shape().length == 1) { // a bias: its numbers go with the rows of its matrix
      long perNumber = tensor.type().rowBytes(1);
      interleaved(tensor, perNumber, 0, tensor.columns(), tensor.columns() / heads.get(), to);
    } else {
      interleaved(tensor, perRow, first, count, tensor.rows() / heads.get(), to);
    }
  }

  private void interleaved(
      TensorInfo tensor, long perRow, int first, int count, int headDim, MemorySegment to) {
    int half = headDim / 2;
    for (int i = 0; i < count; i++) {
      int row = first + i;
      int within = row % headDim;
      int source = row - within + (within % half) * 2 + within / half;
      shards.file(tensor).copy(tensor.offset() + source * perRow, to.asSlice(i * perRow), perRow);
    }
  }

  @Override
  public byte[] fingerprint() {
    UserCache cache = UserCache.ofUser();
    List<byte[]> each =
        shards.files().parallelStream()
            .map(file -> Fingerprints.of(cache, file.path(), file.identity()))
            .toList();
    if (each.size() == 1) {
      return each.getFirst();
    }
    MessageDigest digest = Sha256.digest();
    each.forEach(digest::update);
    return digest.digest();
  }

  @Override
  public void verifyUnchanged() {
    shards.files().forEach(MappedFile::verifyUnchanged);
  }

  @Override
  public void close() {
    shards.close();
  }
}
