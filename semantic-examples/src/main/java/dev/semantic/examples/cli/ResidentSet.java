package dev.semantic.examples.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** What this process holds of the machine's memory. */
final class ResidentSet {
  private static final Path STATUS = Path.of("/proc/self/status");

  private ResidentSet() {}

  /** Bytes; 0 where the system does not tell. */
  static long bytes() {
    try {
      return Files.exists(STATUS) ? fromStatus() : fromPs();
    } catch (IOException | NumberFormatException e) {
      return 0;
    }
  }

  private static long fromStatus() throws IOException {
    return Files.readAllLines(STATUS).stream()
        .filter(line -> line.startsWith("VmRSS:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) << 10)
        .findFirst()
        .orElse(0);
  }

  private static long fromPs() throws IOException {
    String pid = Long.toString(ProcessHandle.current().pid());
    Process ps = new ProcessBuilder("ps", "-o", "rss=", "-p", pid).start();
    try (var out = ps.getInputStream()) {
      return Long.parseLong(new String(out.readAllBytes(), StandardCharsets.US_ASCII).strip())
          << 10;
    }
  }
}
