package dev.semantic.benchmarks.scale;

import dev.semantic.memory.ByteSize;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Writes models with the shapes of Gemma-3-12B and Qwen-2.5-14B in four bits, in MLX's directory
 * layout, with random weights: 7.4 and 8.3 GB. What is whole already is left as it is.
 *
 * <p>{@code java -cp benchmarks/target/benchmarks.jar dev.semantic.benchmarks.scale.SeedModels
 * DIRECTORY}
 */
public final class SeedModels {
  /** Left on the disk for everybody else. */
  private static final ByteSize SPARE = ByteSize.ofGiB(2);

  private static final long TICK = TimeUnit.SECONDS.toNanos(1);

  private SeedModels() {}

  public static void main(String[] args) throws IOException {
    if (args.length != 1) {
      System.err.println("usage: SeedModels DIRECTORY");
      System.exit(2);
    }
    for (RandomModel model : List.of(RandomModel.gemma3(), RandomModel.qwen25())) {
      write(Path.of(args[0]).resolve(model.name()), model);
    }
  }

  private static void write(Path directory, RandomModel model) throws IOException {
    Files.createDirectories(directory);
    RandomShards shards = new RandomShards(directory, model);
    long missing = shards.missingBytes();
    requireRoom(directory, missing);
    Progress progress = new Progress(model.name(), missing);
    shards.write(progress::add);
    progress.end();
    Files.writeString(directory.resolve("model.safetensors.index.json"), shards.index());
    Path tokenizer = directory.resolve("tokenizer.json");
    if (!Files.exists(tokenizer)) {
      MadeUpTokenizer.write(tokenizer, model.tokens(), model.special());
    }
    Files.writeString(
        directory.resolve("tokenizer_config.json"),
        "{\"eos_token\": \"%s\"}%n".formatted(model.special().getFirst()));
    Files.writeString(directory.resolve("config.json"), model.config());
  }

  private static void requireRoom(Path directory, long missing) throws IOException {
    FileStore disk = Files.getFileStore(directory);
    long free = disk.getUsableSpace();
    if (missing > 0 && missing + SPARE.bytes() > free) {
      throw new IOException(
          "%s needs %s more, and %s to spare, but its disk has %s. Name another directory."
              .formatted(directory, new ByteSize(missing), SPARE, new ByteSize(free)));
    }
  }

  /** A line a second. */
  private static final class Progress {
    private final String name;
    private final long total;
    private final long start = System.nanoTime();
    private long done;
    private long told = start;

    Progress(String name, long total) {
      this.name = name;
      this.total = total;
    }

    void add(long bytes) {
      done += bytes;
      long now = System.nanoTime();
      if (now - told >= TICK) {
        told = now;
        double rate = done * 1e9 / (now - start);
        System.err.printf(
            "%s: %s of %s, %s/s, %.0f s left%n",
            name,
            new ByteSize(done),
            new ByteSize(total),
            new ByteSize((long) rate),
            (total - done) / rate);
      }
    }

    void end() {
      System.err.printf(
          "%s: %s%n",
          name,
          total == 0
              ? "is there"
              : "%s written in %.0f s"
                  .formatted(new ByteSize(total), (System.nanoTime() - start) / 1e9));
    }
  }
}
