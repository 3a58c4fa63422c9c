package dev.semantic.mlx.grammar;

import static java.lang.foreign.ValueLayout.JAVA_BOOLEAN;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.semantic.mlx.capi.GrammarCalls;
import dev.semantic.mlx.capi.Memory;
import dev.semantic.model.ModelException;
import dev.semantic.spi.TokenMatcher;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.Arrays;
import java.util.BitSet;
import java.util.concurrent.Callable;

/** A matcher of llguidance's. */
final class GrammarMatcher implements TokenMatcher {
  /** Far more than what its limits let a grammar take. */
  private static final Duration LONGEST_COMPILATION = Duration.ofSeconds(20);

  private static final Duration LONGEST_STEP = Duration.ofSeconds(10);

  private static final int INIT_BYTES = 80; // LlgConstraintInit
  private static final int MOST_FORCED = 256; // at a time
  private static final int LONGEST_ERROR = 500;

  private final GrammarTokenizer tokenizer;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment mask;
  private final MemorySegment forced = arena.allocate(JAVA_INT, MOST_FORCED);
  private MemorySegment handle = MemorySegment.NULL;
  private MemorySegment cancellation = MemorySegment.NULL;
  private boolean inCall; // this and what follows under the lock
  private boolean closed;

  /**
   * Of nothing yet.
   *
   * @param tokenizer retained for it
   */
  GrammarMatcher(GrammarTokenizer tokenizer) {
    this.tokenizer = tokenizer;
    this.mask = arena.allocate(JAVA_LONG, Math.ceilDiv(tokenizer.tokens(), 64));
  }

  /**
   * Compiles a grammar.
   *
   * @throws ModelException of the kind INVALID if it makes no sense, or is too costly
   */
  void compile(GrammarText grammar) {
    call(() -> compileHere(grammar), LONGEST_COMPILATION);
  }

  private boolean compileHere(GrammarText grammar) {
    try (Arena call = Arena.ofConfined()) {
      MemorySegment init = call.allocate(INIT_BYTES);
      GrammarCalls.setDefaults(init, tokenizer.handle());
      init.set(JAVA_BOOLEAN, 16, tokenizer.isForcing());
      limit(init);
      MemorySegment made =
          GrammarCalls.newMatcher(
              init, call.allocateFrom(grammar.type()), call.allocateFrom(grammar.text()));
      handle = made;
      String error = error();
      if (!error.isEmpty()) {
        throw new ModelException(
            ModelException.Kind.INVALID, "The constraint can't be enforced: " + error);
      }
      cancellation = GrammarCalls.cancellation(made);
      return true;
    }
  }

  /** So that nothing takes seconds, nor gigabytes. A limit of 0 is none, whatever is said of it. */
  private static void limit(MemorySegment init) {
    init.set(JAVA_INT, 12, 0); // silent
    init.set(JAVA_LONG, 24, 2_000); // items in a row
    init.set(JAVA_LONG, 32, 100_000); // fuel of the lexer at first
    init.set(JAVA_LONG, 40, 50_000); // and in a step
    init.set(JAVA_LONG, 48, 20_000); // items in a step
    init.set(JAVA_LONG, 56, 20_000); // states
    init.set(JAVA_LONG, 64, 50_000); // the grammar
    init.set(JAVA_BOOLEAN, 72, false); // no large lexemes beforehand
    init.set(JAVA_BOOLEAN, 73, false); // nothing that was said in messages
  }

  /** What went wrong; empty if nothing did. */
  private String error() {
    MemorySegment text = GrammarCalls.error(handle);
    if (text.address() == 0) {
      return "";
    }
    String error = Memory.text(text).strip();
    return error.length() > LONGEST_ERROR ? error.substring(0, LONGEST_ERROR) + "…" : error;
  }

  @Override
  public Next accept(int... tokens) {
    return call(() -> acceptHere(tokens), LONGEST_STEP);
  }

  private Next acceptHere(int[] tokens) {
    if (tokens.length > 0) {
      try (Arena call = Arena.ofConfined()) {
        check(GrammarCalls.consume(handle, call.allocateFrom(JAVA_INT, tokens), tokens.length));
      }
    }
    int count = check(GrammarCalls.forced(handle, forced, MOST_FORCED));
    if (count > 0) {
      int[] sure = Arrays.copyOf(forced.toArray(JAVA_INT), count);
      return new Next(new BitSet(), sure);
    }
    // whole words of 32 bits
    long bytes = Math.ceilDiv(tokenizer.tokens(), 32) * JAVA_INT.byteSize();
    check(GrammarCalls.mask(handle, mask, bytes));
    return new Next(BitSet.valueOf(mask.toArray(JAVA_LONG)));
  }

  private int check(int status) {
    if (status < 0) {
      throw new ModelException(
          ModelException.Kind.FAILED, "The constraint could not be enforced further: " + error());
    }
    return status;
  }

  private <T> T call(Callable<T> work, Duration atMost) {
    begin();
    return GrammarThreads.call(
        () -> {
          try {
            return work.call();
          } finally {
            end();
          }
        },
        atMost,
        this::cancel);
  }

  private synchronized void begin() {
    if (closed || inCall) {
      throw new IllegalStateException(closed ? "The matcher was closed" : "One call at a time");
    }
    inCall = true;
  }

  private synchronized void end() {
    inCall = false;
    if (closed) {
      GrammarThreads.execute(this::free);
    }
  }

  /** Ends a call that is under way, some milliseconds later; a compilation goes on. */
  private synchronized void cancel() {
    if (inCall && cancellation.address() != 0) {
      GrammarCalls.cancel(cancellation);
    }
  }

  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      if (!inCall) {
        GrammarThreads.execute(this::free);
      }
    }
  }

  private void free() {
    if (cancellation.address() != 0) {
      GrammarCalls.freeCancellation(cancellation);
    }
    if (handle.address() != 0) {
      GrammarCalls.freeMatcher(handle);
    }
    arena.close();
    tokenizer.release();
  }
}
