package dev.semantic.mlx;

/** MLX cannot be loaded, or a call into it failed; carries MLX's own message. */
public final class MlxException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public MlxException(String message) {
    super(message);
  }

  public MlxException(String message, Throwable cause) {
    super(message, cause);
  }
}
