package dev.semantic.fuzz;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * Something that reads what strangers wrote. Each input is a {@link Recipe}: which of the good
 * inputs to begin with and what to change in it, so that lengths and checksums can be made to fit
 * what was changed. Refusals that are documented are the target's to catch; whatever else is thrown
 * is a finding, and so is an input that takes long or more memory than there is.
 */
public interface FuzzTarget extends AutoCloseable {
  /** How far an input came. */
  enum Depth {
    /** It was refused for its first bytes: little is learnt from it. */
    FRONT,
    /** Its front is good. */
    INSIDE,
    /** It was taken as a whole. */
    TAKEN
  }

  /**
   * Reads one input.
   *
   * @throws Exception a finding, as any other {@link Throwable} is
   */
  Depth read(Recipe recipe) throws Exception;

  /** How many inputs of the usual kind are read while it reads one. */
  default int costs() {
    return 1;
  }

  @Override
  default void close() throws IOException {}

  /** Makes one. */
  @FunctionalInterface
  interface Maker {
    /**
     * Makes one.
     *
     * @param directory its own, empty
     */
    FuzzTarget make(Path directory) throws Exception;
  }

  /** Several of them, by name: a service that a test program is told of. */
  interface Catalog {
    List<String> names();

    Maker maker(String name);
  }
}
