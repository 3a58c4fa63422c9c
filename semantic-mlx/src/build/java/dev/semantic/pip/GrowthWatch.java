package dev.semantic.pip;

import dev.semantic.mlx.models.FetchProgress;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * Turns the growth of a directory that pip downloads into, which itself says nothing, into
 * progress.
 */
final class GrowthWatch implements AutoCloseable {
  private static final long PERIOD_MILLIS = 500;

  private final Path directory;
  private final long total;
  private final FetchProgress progress;
  private final Thread thread;
  private long arrived;
  private long reported = -1;

  GrowthWatch(Path directory, long arrived, long total, FetchProgress progress) {
    this.directory = directory;
    this.arrived = arrived;
    this.total = total;
    this.progress = progress;
    this.thread = Thread.ofVirtual().name("fetch-progress").start(this::watch);
  }

  /** A package is whole and has left the directory. */
  synchronized void arrived(long bytes) {
    arrived += bytes;
    report(arrived);
  }

  private void watch() {
    try {
      while (true) {
        Thread.sleep(PERIOD_MILLIS);
        long growing = size();
        synchronized (this) {
          report(arrived + growing);
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // closed
    }
  }

  private synchronized void report(long done) {
    // What grows may be counted a moment after it has arrived: the sum never falls or exceeds.
    long bounded = Math.min(total, Math.max(done, reported));
    if (bounded != reported) {
      reported = bounded;
      progress.progress(bounded, total);
    }
  }

  private long size() {
    try (Stream<Path> files = Files.walk(directory)) {
      return files.filter(Files::isRegularFile).mapToLong(file -> file.toFile().length()).sum();
    } catch (IOException | UncheckedIOException e) {
      return 0; // pip has just moved something away; half a second later it is counted
    }
  }

  @Override
  public void close() {
    thread.interrupt();
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
