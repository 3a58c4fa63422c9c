package dev.semantic.mlx.models.hub;

import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Something between a hub and us failed; says whether it may go well the next time. */
final class HubException extends IOException {
  private static final long serialVersionUID = 1L;

  private final boolean passing;
  private final @Nullable Duration wait;

  private HubException(
      String message, @Nullable Throwable cause, boolean passing, @Nullable Duration wait) {
    super(plain(message), cause);
    this.passing = passing;
    this.wait = wait;
  }

  /** A hub's words as a terminal may have them: nothing that moves it, colours it or turns it. */
  static String plain(String text) {
    return text.replaceAll("[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}&&[^\\n]]", "?");
  }

  /** Asking again would give the same answer. */
  static HubException lasting(String message) {
    return new HubException(message, null, false, null);
  }

  static HubException lasting(String message, Throwable cause) {
    return new HubException(message, cause, false, null);
  }

  /** A matter of the moment. */
  static HubException passing(String message, @Nullable Throwable cause) {
    return new HubException(message, cause, true, null);
  }

  /** The server asks for a pause. */
  static HubException busy(String message, Optional<Duration> wait) {
    return new HubException(message, null, true, wait.orElse(null));
  }

  boolean isPassing() {
    return passing;
  }

  Optional<Duration> askedToWait() {
    return Optional.ofNullable(wait);
  }
}
