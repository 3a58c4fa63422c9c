package dev.semantic.benchmarks.scale;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;

/** The files of a model's weights as the kernel's page cache has them. */
final class ModelDisk {
  private static final int BUFFER = 4 << 20;
  private static final long SLICE = 1 << 20;

  private final List<Path> files;

  ModelDisk(Path model) throws IOException {
    try (Stream<Path> all =
        Files.isDirectory(model) ? Files.list(model) : Stream.of(model.toAbsolutePath())) {
      files =
          all.filter(file -> file.toString().matches(".*\\.(safetensors|gguf)")).sorted().toList();
    }
  }

  long bytes() throws IOException {
    long bytes = 0;
    for (Path file : files) {
      bytes += Files.size(file);
    }
    return bytes;
  }

  /** Takes them out of the page cache, as {@code posix_fadvise(DONTNEED)} does. */
  void evict() throws IOException, InterruptedException {
    for (Path file : files) {
      Process dd =
          new ProcessBuilder(
                  "dd", "of=" + file, "oflag=nocache", "conv=notrunc,fdatasync", "count=0")
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
      if (dd.waitFor() != 0) {
        throw new IOException("dd could not take %s out of the page cache".formatted(file));
      }
    }
  }

  /** Reads them one after the other into one small buffer, and nothing else. */
  Duration readSequentially() throws IOException {
    ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER);
    long start = System.nanoTime();
    for (Path file : files) {
      try (FileChannel channel = FileChannel.open(file)) {
        while (channel.read(buffer.clear()) >= 0) {
          // the bytes are of no interest
        }
      }
    }
    return Duration.ofNanos(System.nanoTime() - start);
  }

  /** Which part of them is in the page cache, 0 to 1. */
  double cachedShare() throws IOException {
    long cached = 0;
    for (Path file : files) {
      try (Arena arena = Arena.ofConfined();
          FileChannel channel = FileChannel.open(file)) {
        MemorySegment all = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
        for (long at = 0; at < all.byteSize(); at += SLICE) {
          MemorySegment slice = all.asSlice(at, Math.min(SLICE, all.byteSize() - at));
          cached += slice.isLoaded() ? slice.byteSize() : 0;
        }
      }
    }
    return cached / (double) bytes();
  }
}
