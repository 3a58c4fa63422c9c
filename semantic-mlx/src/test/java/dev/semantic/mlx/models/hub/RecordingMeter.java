package dev.semantic.mlx.models.hub;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Writes down what it hears. */
final class RecordingMeter implements DownloadListener {
  final List<String> waits = new CopyOnWriteArrayList<>();
  final List<String> checked = new CopyOnWriteArrayList<>();
  volatile long total;
  volatile long moved;
  volatile long cancelAfter = Long.MAX_VALUE;

  @Override
  public synchronized void found(String commit, int files, long totalBytes) {
    total = totalBytes;
    moved = 0;
  }

  @Override
  public synchronized void moved(long bytes) {
    moved += bytes;
  }

  @Override
  public void waits(String reason, Duration time) {
    waits.add(reason);
  }

  @Override
  public void checks(String file) {
    checked.add(file);
  }

  @Override
  public void published(Path snapshot) {}

  @Override
  public boolean isCancelled() {
    return moved > cancelAfter;
  }
}
