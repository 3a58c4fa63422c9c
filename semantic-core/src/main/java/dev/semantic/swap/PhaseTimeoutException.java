package dev.semantic.swap;

/** A phase did not come to its end in time; whatever it still does has no effect. */
public final class PhaseTimeoutException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Made by the registry. */
  public PhaseTimeoutException(String message) {
    super(message);
  }
}
