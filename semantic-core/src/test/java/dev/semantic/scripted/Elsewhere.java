package dev.semantic.scripted;

import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;

/** Things that a test does on another thread, each on one of its own. */
public final class Elsewhere {
  private Elsewhere() {}

  /** Begins at once; what it throws is what the future completes with. */
  public static <T> CompletableFuture<T> call(Callable<T> task) {
    CompletableFuture<T> future = new CompletableFuture<>();
    Thread.ofPlatform()
        .daemon()
        .name("elsewhere")
        .start(
            () -> {
              try {
                future.complete(task.call());
              } catch (Throwable t) { // for whoever waits
                future.completeExceptionally(t);
              }
            });
    return future;
  }
}
