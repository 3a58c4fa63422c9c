package dev.semantic.mlx.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** How much of the machine's memory this process holds; pages of files are the machine's. */
public final class ResidentSet {
  private static final Path STATUS = Path.of("/proc/self/status");

  private ResidentSet() {}

  /** In bytes; 0 where there is no {@code /proc}. */
  public static long bytes() throws IOException {
    return line("RssAnon:");
  }

  /** Bytes of mapped files that this process is charged for; 0 where there is no {@code /proc}. */
  public static long fileBytes() throws IOException {
    return line("RssFile:");
  }

  private static long line(String name) throws IOException {
    if (!Files.exists(STATUS)) {
      return 0;
    }
    return Files.readAllLines(STATUS).stream()
        .filter(line -> line.startsWith(name))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) << 10)
        .findFirst()
        .orElse(0);
  }
}
