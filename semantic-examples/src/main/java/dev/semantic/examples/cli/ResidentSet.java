package dev.semantic.examples.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** What this process and those it has started hold of the machine's memory. */
final class ResidentSet {
  private ResidentSet() {}

  /** Bytes; 0 where the system does not tell. */
  static long bytes() {
    ProcessHandle self = ProcessHandle.current();
    return bytes(self.pid()) + self.descendants().mapToLong(child -> bytes(child.pid())).sum();
  }

  private static long bytes(long pid) {
    Path status = Path.of("/proc", Long.toString(pid), "status");
    try {
      return Files.exists(status) ? fromStatus(status) : fromPs(pid);
    } catch (IOException | NumberFormatException e) {
      return 0;
    }
  }

  private static long fromStatus(Path status) throws IOException {
    return Files.readAllLines(status).stream()
        .filter(line -> line.startsWith("VmRSS:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) << 10)
        .findFirst()
        .orElse(0);
  }

  private static long fromPs(long pid) throws IOException {
    Process ps = new ProcessBuilder("ps", "-o", "rss=", "-p", Long.toString(pid)).start();
    try (var out = ps.getInputStream()) {
      return Long.parseLong(new String(out.readAllBytes(), StandardCharsets.US_ASCII).strip())
          << 10;
    }
  }
}
