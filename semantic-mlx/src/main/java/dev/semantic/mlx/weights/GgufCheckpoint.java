package dev.semantic.mlx.weights;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.semantic.mlx.store.UserCache;
import dev.semantic.model.ModelException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** A GGUF file, mapped into memory. */
final class GgufCheckpoint implements Checkpoint {
  private final Path path;
  private final FileIdentity identity;
  private final Arena arena;
  private final MemorySegment memory;
  private final GgufHeader header;
  private final ModelConfig config;
  private final Map<String, TensorInfo> tensors;

  private GgufCheckpoint(Path path, FileIdentity identity, Arena arena, MemorySegment memory) {
    this.path = path;
    this.identity = identity;
    this.arena = arena;
    this.memory = memory;
    this.header = GgufHeader.read(path, memory);
    this.config = GgufConfig.of(path, header, ropeFactors());
    this.tensors = bound();
  }

  @SuppressWarnings(
      "MustBeClosedChecker") // closed on every way out but the last, which hands it on
  static GgufCheckpoint open(Path path) {
    FileIdentity identity = FileIdentity.of(path);
    Arena arena = Arena.ofShared();
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      MemorySegment memory = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
      return new GgufCheckpoint(path, identity, arena, memory);
    } catch (IOException e) {
      arena.close();
      throw new ModelException("Cannot read %s: %s".formatted(path, e.getMessage()), e);
    } catch (InternalError e) { // what a mapped file that shrinks under our hands throws
      arena.close();
      throw new ModelException(path + " changed while it was read", e);
    } catch (RuntimeException | Error e) {
      arena.close();
      throw e;
    }
  }

  private Map<String, TensorInfo> bound() {
    Map<String, TensorInfo> found = new LinkedHashMap<>();
    GgufNames.expected(config)
        .forEach(
            (name, expected) -> {
              TensorInfo tensor = header.tensors().get(expected.ggufName());
              if (tensor == null) {
                throw new ModelException(
                    "%s lacks tensor %s of a %s model with %d layers. Is it whole?"
                        .formatted(
                            path, expected.ggufName(), config.architecture(), config.layers()));
              }
              if (!Arrays.equals(tensor.shape(), expected.shape())) {
                throw new ModelException(
                    "%s: tensor %s is %s, expected %s (hidden size %d). Is it another model's?"
                        .formatted(
                            path,
                            tensor.name(),
                            Arrays.toString(tensor.shape()),
                            Arrays.toString(expected.shape()),
                            config.hiddenSize()));
              }
              found.put(name, tensor);
            });
    refuseUnknown();
    return found;
  }

  /**
   * A tensor that is left out (a bias, say) would make another model of it, and nobody would see.
   */
  private void refuseUnknown() {
    Set<String> known =
        GgufNames.expected(config).values().stream()
            .map(GgufNames.Expected::ggufName)
            .collect(Collectors.toSet());
    for (String name : header.tensors().keySet()) {
      if (!known.contains(name) && !name.equals(GgufNames.ROPE_FACTORS)) {
        throw new ModelException(
            "%s has a tensor %s, which the %s architecture does not know. Is it of another one?"
                .formatted(path, name, config.architecture()));
      }
    }
  }

  private float @Nullable [] ropeFactors() {
    TensorInfo tensor = header.tensors().get(GgufNames.ROPE_FACTORS);
    if (tensor == null) {
      return null;
    }
    if (tensor.shape().length != 1) {
      throw new ModelException(
          "%s: tensor %s is %s, expected one row"
              .formatted(path, tensor.name(), Arrays.toString(tensor.shape())));
    }
    float[] factors = new float[tensor.columns()];
    Dequantizer.expand(tensor.type(), bytes(tensor, 0, 1), factors.length, factors);
    return factors;
  }

  @Override
  public ModelConfig config() {
    return config;
  }

  @Override
  public Path path() {
    return path;
  }

  @Override
  public long fileBytes() {
    return memory.byteSize();
  }

  @Override
  public long parameters() {
    return tensors.values().stream().mapToLong(TensorInfo::elements).sum();
  }

  @Override
  public String quantization() {
    Map<TensorType, Long> weights =
        tensors.values().stream()
            .filter(tensor -> tensor.shape().length == 2)
            .collect(Collectors.groupingBy(TensorInfo::type, Collectors.counting()));
    return weights.entrySet().stream()
        .max(Map.Entry.comparingByValue())
        .map(entry -> entry.getKey().name())
        .orElse("none");
  }

  @Override
  public Set<String> tensorNames() {
    return tensors.keySet();
  }

  @Override
  public TensorInfo info(String name) {
    TensorInfo tensor = tensors.get(name);
    if (tensor == null) {
      throw new ModelException("%s has no tensor %s".formatted(path, name));
    }
    return tensor;
  }

  @Override
  public Map<String, Object> metadata() {
    return header.metadata();
  }

  @Override
  public void expand(String name, int first, int count, float[] to) {
    TensorInfo tensor = info(name);
    guarded(
        () ->
            Dequantizer.expand(
                tensor.type(),
                rows(name, tensor, first, count),
                Math.multiplyExact(count, tensor.columns()),
                to));
  }

  @Override
  public void pack(String name, int first, int count, AffineRows to) {
    TensorInfo tensor = info(name);
    guarded(
        () ->
            AffinePacking.pack(
                tensor.type(),
                rows(name, tensor, first, count),
                count * (tensor.columns() / AffineRows.GROUP),
                to));
  }

  @Override
  public void readAhead(long from, long bytes) {
    guarded(memory.asSlice(from, bytes)::load);
  }

  /** Rows in the order of Hugging Face, whatever order the file has them in. */
  private byte[] rows(String name, TensorInfo tensor, int first, int count) {
    Optional<Integer> heads = GgufNames.interleavedHeads(config, name);
    if (heads.isEmpty()) {
      return bytes(tensor, first, count);
    }
    int perRow = Math.toIntExact(tensor.type().rowBytes(tensor.columns()));
    int headDim = tensor.rows() / heads.get();
    byte[] rows = new byte[count * perRow];
    for (int i = 0; i < count; i++) {
      int row = first + i;
      int within = row % headDim;
      int half = headDim / 2;
      int source = row - within + (within % half) * 2 + within / half;
      MemorySegment.copy(
          memory, JAVA_BYTE, tensor.offset() + (long) source * perRow, rows, i * perRow, perRow);
    }
    return rows;
  }

  private byte[] bytes(TensorInfo tensor, int first, int count) {
    long perRow = tensor.type().rowBytes(tensor.columns());
    byte[] bytes = new byte[Math.toIntExact(count * perRow)];
    MemorySegment.copy(memory, JAVA_BYTE, tensor.offset() + first * perRow, bytes, 0, bytes.length);
    return bytes;
  }

  /** A page of a mapped file that is no longer there shows as an error of the JVM's. */
  private void guarded(Runnable reading) {
    try {
      reading.run();
    } catch (InternalError e) {
      throw new ModelException(path + " changed or could not be read", e);
    }
  }

  @Override
  public byte[] fingerprint() {
    return Fingerprints.of(UserCache.ofUser(), path, identity);
  }

  @Override
  public void verifyUnchanged() {
    if (!FileIdentity.of(path).equals(identity)) {
      throw new ModelException(path + " has changed since it was checked; prepare it again");
    }
  }

  @Override
  public void close() {
    if (arena.scope().isAlive()) {
      arena.close();
    }
  }
}
