package dev.semantic.mlx.models.hub;

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
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** Ranges of several files, some at a time; the first failure ends all of them. */
final class Downloads {
  private static final long NOTE_MILLIS = 500;

  private final List<Transfer> transfers;
  private final Path blobs;
  private final DownloadListener listener;

  Downloads(List<Transfer> transfers, Path blobs, DownloadListener listener) {
    // What is small is most likely to say early that all of it is refused.
    this.transfers =
        transfers.stream()
            .sorted(Comparator.comparingLong(t -> t.blob().file().sizeBytes()))
            .toList();
    this.blobs = blobs;
    this.listener = listener;
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
    listener.checks(file.path());
    blob.finish(blobs.resolve(file.etag()));
  }

  /** How far it has come is written down all the time: whoever is killed has no last word. */
  private void await(Submitted submitted) throws IOException, InterruptedException {
    long noted = System.nanoTime();
    for (int ended = 0; ended < submitted.count(); ) {
      Future<Void> one = submitted.service().poll(NOTE_MILLIS, TimeUnit.MILLISECONDS);
      if (System.nanoTime() - noted >= TimeUnit.MILLISECONDS.toNanos(NOTE_MILLIS)) {
        transfers.forEach(transfer -> transfer.blob().note());
        noted = System.nanoTime();
      }
      if (one == null) {
        continue;
      }
      ended++;
      try {
        one.get();
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
