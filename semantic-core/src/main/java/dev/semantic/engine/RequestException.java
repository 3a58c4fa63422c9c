package dev.semantic.engine;

import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A request was refused or could not be answered to its end; the message says why. */
public final class RequestException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final @Nullable Duration retryAfter;

  public RequestException(String message) {
    super(message);
    this.retryAfter = null;
  }

  public RequestException(String message, Throwable cause) {
    super(message, cause);
    this.retryAfter = null;
  }

  /** Refused only for now. */
  public RequestException(String message, Duration retryAfter) {
    super(message);
    this.retryAfter = retryAfter;
  }

  /** After what time the same request has a chance, where that is known. */
  public Optional<Duration> retryAfter() {
    return Optional.ofNullable(retryAfter);
  }
}
