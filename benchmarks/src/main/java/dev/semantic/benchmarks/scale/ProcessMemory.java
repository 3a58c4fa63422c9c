package dev.semantic.benchmarks.scale;

import dev.semantic.memory.ByteSize;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What the kernel counts for this process; Linux only.
 *
 * @param resident all of it
 * @param files the part that is pages of mapped files, which the kernel may take back
 * @param peak the most that was resident since {@link #resetPeak}
 */
record ProcessMemory(ByteSize resident, ByteSize files, ByteSize peak) {
  private static final Path STATUS = Path.of("/proc/self/status");
  private static final Path CLEAR = Path.of("/proc/self/clear_refs");

  static ProcessMemory now() {
    try {
      String status = Files.readString(STATUS);
      return new ProcessMemory(
          line(status, "VmRSS:"), line(status, "RssFile:"), line(status, "VmHWM:"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static ByteSize line(String status, String name) {
    return status
        .lines()
        .filter(line -> line.startsWith(name))
        .map(line -> new ByteSize(Long.parseLong(line.replaceAll("\\D", "")) << 10))
        .findFirst()
        .orElse(ByteSize.ZERO);
  }

  /** The peak begins anew at what is resident now (proc(5): five written to clear_refs). */
  static void resetPeak() {
    try {
      Files.writeString(CLEAR, "5");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
