package dev.semantic.swap;

/** Requests under way did not come to their end in time. They go on, with the old model. */
public final class DrainTimeoutException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Made by the registry. */
  public DrainTimeoutException(String message) {
    super(message);
  }
}
