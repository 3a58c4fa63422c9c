package dev.semantic.mlx.store.hub;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletionService;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/** Ranges of several files, some at a time; the first failure ends all of them. */
final class Downloads {
  private final List<Transfer> transfers;
  private final Path blobs;
  private final Meter meter;

  Downloads(List<Transfer> transfers, Path blobs, Meter meter) {
    // What is small is most likely to say early that all of it is refused.
    this.transfers =
        transfers.stream()
            .sorted(Comparator.comparingLong(t -> t.blob().file().sizeBytes()))
            .toList();
    this.blobs = blobs;
    this.meter = meter;
  }

  /** Fetches, checks and names all of them. What was not whole at a failure waits for the next. */
  void run(int connections) throws IOException, InterruptedException {
    ExecutorService threads =
        Executors.newFixedThreadPool(connections, Thread.ofVirtual().name("fetch-", 0).factory());
    try {
      await(submit(new ExecutorCompletionService<>(threads)));
    } finally {
      threads.shutdownNow();
      threads.close(); // also when this thread is interrupted: what has come is written down
      transfers.forEach(transfer -> transfer.blob().note());
    }
  }

  private record Submitted(CompletionService<Void> service, int count) {}

  private Submitted submit(CompletionService<Void> service) {
    int count = 0;
    for (Transfer transfer : transfers) {
      AtomicInteger left = new AtomicInteger(transfer.blob().ranges());
      for (int i = 0; i < transfer.blob().ranges(); i++) {
        int range = i;
        service.submit(
            () -> {
              transfer.fetch(range);
              if (left.decrementAndGet() == 0) {
                finish(transfer.blob());
              }
              return null;
            });
        count++;
      }
    }
    return new Submitted(service, count);
  }

  private void finish(PartialBlob blob) throws IOException {
    RemoteFile file = blob.file();
    meter.checks(file.path());
    blob.finish(blobs.resolve(file.etag()));
  }

  private static void await(Submitted submitted) throws IOException, InterruptedException {
    for (int i = 0; i < submitted.count(); i++) {
      try {
        submitted.service().take().get();
      } catch (ExecutionException e) {
        switch (Objects.requireNonNull(e.getCause())) {
          case IOException known -> throw known;
          case InterruptedException interrupted -> throw interrupted;
          case RuntimeException known -> throw known; // cancelled, or a fault of ours
          case Error fatal -> throw fatal;
          default -> throw new IllegalStateException(e.getCause());
        }
      }
    }
  }
}
