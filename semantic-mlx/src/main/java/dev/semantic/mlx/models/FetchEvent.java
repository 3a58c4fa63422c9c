package dev.semantic.mlx.models;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/** What happens while a model is fetched from a hub. */
public sealed interface FetchEvent {
  /**
   * The hub has said what there is.
   *
   * @param commit which state of the repository
   * @param files that the model needs
   * @param totalBytes of these files, some of which may be here already
   */
  record Found(String commit, int files, long totalBytes) implements FetchEvent {}

  /**
   * About once a second while bytes come.
   *
   * @param doneBytes so far
   * @param bytesPerSecond over the last seconds
   * @param remaining at this rate; empty while nothing comes
   */
  record Moving(long doneBytes, long totalBytes, long bytesPerSecond, Optional<Duration> remaining)
      implements FetchEvent {}

  /** A request failed in passing and is repeated after a while. */
  record Waiting(String reason, Duration time) implements FetchEvent {}

  /** All bytes of a file are here and are compared with its checksum. */
  record Checking(String file) implements FetchEvent {}

  /** The model is whole and in its place. */
  record Published(Path snapshot) implements FetchEvent {}
}
