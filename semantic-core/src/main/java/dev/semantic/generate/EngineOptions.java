package dev.semantic.generate;

import java.time.Duration;
import java.util.Objects;

/**
 * How an engine serves.
 *
 * @param maxRunning the most requests under way at a time
 * @param queueLength the most requests that wait
 * @param maxQueueTime how long a request waits at most, unless it says less itself
 * @param maxPrefetchedAgents the most agents that are brought back behind a model that has begun to
 *     serve, pinned ones not counted; others come back with their next request
 * @param writeBehind whether agents who have fallen silent are parked while the model has nothing
 *     to do, so that a swap finds little left to write; else a swap and an eviction park them
 */
public record EngineOptions(
    int maxRunning,
    int queueLength,
    Duration maxQueueTime,
    int maxPrefetchedAgents,
    boolean writeBehind) {
  /** Sixteen at a time, a thousand waiting for up to five minutes. */
  public static final EngineOptions DEFAULTS =
      new EngineOptions(16, 1000, Duration.ofMinutes(5), 16, true);

  public EngineOptions {
    Objects.requireNonNull(maxQueueTime, "maxQueueTime must not be null");
    if (maxRunning < 1 || queueLength < 1 || maxPrefetchedAgents < 0 || maxQueueTime.isNegative()) {
      throw new IllegalArgumentException(
          "An engine needs room for at least one request: batch %d, queue %d, wait %s, restored %d"
              .formatted(maxRunning, queueLength, maxQueueTime, maxPrefetchedAgents));
    }
  }
}
