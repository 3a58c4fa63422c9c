package dev.semantic.store;

/**
 * Nothing can be parked, because the disk has no room. The store has logged that and goes on
 * trying; whoever gets this need not say it again.
 */
public final class DiskFullException extends CacheException {
  private static final long serialVersionUID = 1L;

  public DiskFullException(String message) {
    super(message);
  }

  public DiskFullException(String message, Throwable cause) {
    super(message, cause);
  }
}
