package dev.semantic.store;

/**
 * A cache could not be kept, or a cache directory not be used. The message names the agent or
 * directory, the file, and what to do about it. What was complete before still is.
 */
public class CacheException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public CacheException(String message) {
    super(message);
  }

  public CacheException(String message, Throwable cause) {
    super(message, cause);
  }
}
