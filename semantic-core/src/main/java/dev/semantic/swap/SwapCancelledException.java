package dev.semantic.swap;

/** Somebody called the swap off, interrupted its thread, or wanted another one instead. */
public final class SwapCancelledException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Made by the registry. */
  public SwapCancelledException(String message) {
    super(message);
  }
}
