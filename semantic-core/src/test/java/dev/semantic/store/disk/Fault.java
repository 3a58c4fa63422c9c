package dev.semantic.store.disk;

import java.io.IOException;

/** What a {@link FaultyDisk} does at each file operation before it is carried out. */
@FunctionalInterface
public interface Fault {
  /** Nothing ever goes wrong. */
  Fault NONE = (count, operation) -> {};

  /**
   * Throws to make the operation fail.
   *
   * @param count this is the so-manyth operation, from 1
   * @param operation for example {@code write x.kv.tmp}
   */
  void before(int count, String operation) throws IOException;

  /** Only the {@code n}th operation fails. */
  static Fault once(int n) {
    return (count, operation) -> {
      if (count == n) {
        throw new IOException("injected: operation " + count + ", " + operation);
      }
    };
  }

  /** The {@code n}th operation and all after it fail. */
  static Fault from(int n) {
    return (count, operation) -> {
      if (count >= n) {
        throw new IOException("injected: operation " + count + ", " + operation);
      }
    };
  }
}
