package dev.semantic.model;

/**
 * A model cannot be found, read or loaded. The message names the model, the file and place, and
 * what to do about it.
 */
public class ModelException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public ModelException(String message) {
    super(message);
  }

  public ModelException(String message, Throwable cause) {
    super(message, cause);
  }
}
