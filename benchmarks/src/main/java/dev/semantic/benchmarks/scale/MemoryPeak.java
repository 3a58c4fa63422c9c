package dev.semantic.benchmarks.scale;

import dev.semantic.memory.ByteSize;
import java.time.Duration;

/** The process' size, looked at every few milliseconds while something happens. */
final class MemoryPeak implements AutoCloseable {
  private static final Duration EACH = Duration.ofMillis(20);

  private final Thread thread;
  private volatile long files;
  private volatile long besides;
  private volatile boolean ended;

  private MemoryPeak() {
    thread = Thread.ofPlatform().daemon().name("memory-peak").unstarted(this::look);
  }

  static MemoryPeak watch() {
    MemoryPeak peak = new MemoryPeak();
    peak.thread.start();
    return peak;
  }

  private void look() {
    while (!ended) {
      ProcessMemory now = ProcessMemory.now();
      files = Math.max(files, now.files().bytes());
      besides = Math.max(besides, now.resident().bytes() - now.files().bytes());
      try {
        Thread.sleep(EACH);
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  /** The most that was pages of mapped files. */
  ByteSize files() {
    return new ByteSize(files);
  }

  /** The most that was not. */
  ByteSize besides() {
    return new ByteSize(besides);
  }

  @Override
  public void close() {
    ended = true;
    thread.interrupt();
  }
}
