package dev.semantic.benchmarks.scale;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.LongConsumer;
import java.util.stream.Collectors;

/**
 * A model's weights as mlx-lm writes them: files of at most 5 GiB with an index, and in each file
 * tensors in no order, as MLX's own writer leaves them. A file has its name when it is whole, so
 * what is there is not written again.
 */
final class RandomShards {
  private static final long LARGEST = 5L << 30;
  private static final int BUFFER = 8 << 20;

  private final Path directory;
  private final List<Shard> shards = new ArrayList<>();

  /** A file. */
  private record Shard(String name, byte[] head, List<RandomTensor> tensors) {
    long bytes() {
      return head.length + tensors.stream().mapToLong(RandomTensor::bytes).sum();
    }
  }

  RandomShards(Path directory, RandomModel model) {
    this.directory = directory;
    List<List<RandomTensor>> parts = new ArrayList<>();
    long left = 0;
    for (RandomTensor tensor : model.tensors()) {
      if (tensor.bytes() > left) {
        parts.add(new ArrayList<>());
        left = LARGEST;
      }
      parts.getLast().add(tensor);
      left -= tensor.bytes();
    }
    for (int i = 0; i < parts.size(); i++) {
      String name = "model-%05d-of-%05d.safetensors".formatted(i + 1, parts.size());
      Collections.shuffle(parts.get(i), new Random(i));
      shards.add(new Shard(name, head(parts.get(i)), parts.get(i)));
    }
  }

  /** The length of the header, and the header, which names tensors in the order of the alphabet. */
  private static byte[] head(List<RandomTensor> tensors) {
    TreeMap<String, String> entries = new TreeMap<>();
    long at = 0;
    for (RandomTensor tensor : tensors) {
      entries.put(tensor.name(), tensor.entry(at));
      at += tensor.bytes();
    }
    byte[] json =
        ("{\"__metadata__\":{\"format\":\"mlx\"}," + String.join(",", entries.values()) + "}")
            .getBytes(StandardCharsets.UTF_8);
    return ByteBuffer.allocate(Long.BYTES + json.length)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(json.length)
        .put(json)
        .array();
  }

  String index() {
    String map =
        shards.stream()
            .flatMap(shard -> shard.tensors().stream().map(t -> indexed(t.name(), shard.name())))
            .sorted()
            .collect(Collectors.joining(",\n"));
    long bytes =
        shards.stream().flatMap(s -> s.tensors().stream()).mapToLong(RandomTensor::bytes).sum();
    return "{\n  \"metadata\": {\"total_size\": %d},\n  \"weight_map\": {\n%s\n  }\n}\n"
        .formatted(bytes, map);
  }

  private static String indexed(String tensor, String file) {
    return "    \"%s\": \"%s\"".formatted(tensor, file);
  }

  /** Bytes that are not there yet. */
  long missingBytes() throws IOException {
    long missing = 0;
    for (Shard shard : shards) {
      missing += isThere(shard) ? 0 : shard.bytes();
    }
    return missing;
  }

  private boolean isThere(Shard shard) throws IOException {
    Path file = directory.resolve(shard.name());
    return Files.isRegularFile(file) && Files.size(file) == shard.bytes();
  }

  /**
   * Writes what is missing.
   *
   * @param written is told of each step's bytes
   */
  void write(LongConsumer written) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER).order(ByteOrder.LITTLE_ENDIAN);
    for (Shard shard : shards) {
      if (!isThere(shard)) {
        Path part = directory.resolve(shard.name() + ".part");
        write(shard, part, buffer, written);
        Files.move(part, directory.resolve(shard.name()), StandardCopyOption.ATOMIC_MOVE);
      }
    }
  }

  private static void write(Shard shard, Path file, ByteBuffer buffer, LongConsumer written)
      throws IOException {
    try (FileChannel channel =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE)) {
      drain(channel, ByteBuffer.wrap(shard.head()));
      for (RandomTensor tensor : shard.tensors()) {
        for (long at = 0; at < tensor.bytes(); at += buffer.limit()) {
          buffer.clear().limit((int) Math.min(BUFFER, tensor.bytes() - at));
          tensor.fill(at, buffer);
          drain(channel, buffer.flip());
          written.accept(buffer.limit());
        }
      }
      channel.force(true);
    }
  }

  private static void drain(FileChannel channel, ByteBuffer from) throws IOException {
    while (from.hasRemaining()) {
      channel.write(from);
    }
  }
}
