package dev.semantic.examples.cli;

import dev.semantic.spi.LoadProgress;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Ctrl-C, or a signal from outside, while something is written: the work is called off, and the JVM
 * ends when it has tidied up.
 */
final class Interruption implements AutoCloseable {
  private static final long PATIENCE_SECONDS = 30;

  private final CountDownLatch done = new CountDownLatch(1);
  private final Thread hook = Thread.ofPlatform().name("interruption").unstarted(this::callOff);
  private volatile boolean called;

  private Interruption() {}

  static Interruption watch() {
    Interruption interruption = new Interruption();
    Runtime.getRuntime().addShutdownHook(interruption.hook);
    return interruption;
  }

  private void callOff() {
    called = true;
    try {
      if (!done.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
        System.err.println("semantic: what was being written may not be tidied up yet");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** The same progress, which asks for an end once there was a signal. */
  LoadProgress cancelling(LoadProgress progress) {
    return new LoadProgress() {
      @Override
      public void update(long doneBytes, long totalBytes) {
        progress.update(doneBytes, totalBytes);
      }

      @Override
      public boolean isCancelled() {
        return called;
      }
    };
  }

  @Override
  public void close() {
    done.countDown();
    if (!called) {
      try {
        Runtime.getRuntime().removeShutdownHook(hook);
      } catch (IllegalStateException e) {
        called = true; // the JVM ends just now; the hook finds the work done
      }
    }
  }
}
