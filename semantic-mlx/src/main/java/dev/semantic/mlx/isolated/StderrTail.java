package dev.semantic.mlx.isolated;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What a child process prints: into this process's log, and its last lines for a message. */
final class StderrTail {
  private static final Logger LOG = LoggerFactory.getLogger("dev.semantic.mlx.isolated.child");
  private static final int LINES = 20;
  private static final int LONGEST = 500;

  /** So a JVM's report of its own crash begins; without a core dump it then ends with code 1. */
  private static final String CRASH = "#  SIG";

  /** For what a dead process still has in its pipe; longer only if its own child holds that. */
  private static final Duration LAST_WORDS = Duration.ofSeconds(2);

  private final Deque<String> lines = new ArrayDeque<>();
  private final Thread reader;
  private @Nullable String crash;

  StderrTail(Process process, String name) {
    reader =
        Thread.ofPlatform()
            .daemon()
            .name("semantic-isolated-output " + name)
            .unstarted(() -> read(process, name));
    reader.start();
  }

  private void read(Process process, String name) {
    try (BufferedReader reader = process.inputReader(StandardCharsets.UTF_8)) {
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        LOG.info("{}: {}", name, line);
        keep(line.substring(0, Math.min(line.length(), LONGEST)));
      }
    } catch (IOException e) {
      LOG.debug("{} prints no more", name, e);
    }
  }

  private synchronized void keep(String line) {
    if (crash == null && line.startsWith(CRASH)) {
      crash = line.substring(CRASH.length() - "SIG".length());
    }
    lines.addLast(line);
    if (lines.size() > LINES) {
      lines.removeFirst();
    }
  }

  /** The last lines of a process that has ended. */
  String lastWords() {
    awaitEnd();
    return text();
  }

  /** What a JVM that has ended crashed of: {@code SIGSEGV (0xb) at pc=…}. */
  Optional<String> crash() {
    awaitEnd();
    synchronized (this) {
      return Optional.ofNullable(crash);
    }
  }

  private void awaitEnd() {
    try {
      reader.join(LAST_WORDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** The last lines so far. */
  synchronized String text() {
    return lines.isEmpty() ? "it printed nothing" : String.join("\n", lines);
  }
}
