package dev.semantic.mlx.grammar;

import dev.semantic.generate.Constraint;
import dev.semantic.mlx.MlxException;
import dev.semantic.mlx.capi.GrammarLibrary;
import dev.semantic.model.ModelException;
import dev.semantic.spi.TokenMatcher;
import dev.semantic.spi.Tokenizer;
import org.jspecify.annotations.Nullable;

/**
 * Compiles constraints for one model's tokens. What llguidance needs to know of them is made when
 * the first constraint comes, which takes a second for a large vocabulary, and freed when this was
 * closed and no matcher is left. Any thread.
 */
public final class Grammars implements AutoCloseable {
  private final Tokenizer text;
  private @Nullable GrammarTokenizer tokenizer; // this and what follows under the lock
  private boolean closed;

  /** Nothing is loaded yet. */
  public Grammars(Tokenizer text) {
    this.text = text;
  }

  /**
   * As {@link Tokenizer#match} has it.
   *
   * @throws ModelException if the constraint makes no sense, or there is no llguidance here
   */
  public TokenMatcher match(Constraint constraint) {
    GrammarText written = GrammarText.of(constraint, text);
    GrammarTokenizer tokens = tokenizer();
    GrammarMatcher matcher = new GrammarMatcher(tokens);
    try {
      matcher.compile(written);
      return matcher;
    } catch (RuntimeException | Error e) {
      matcher.close();
      throw e;
    }
  }

  /** Open, and taken for one matcher, which lets go of it. */
  private GrammarTokenizer tokenizer() {
    open();
    GrammarTokenizer taken = taken();
    try {
      taken.open();
      return taken;
    } catch (RuntimeException | Error e) {
      giveUp(taken);
      throw e;
    }
  }

  private synchronized GrammarTokenizer taken() {
    if (closed) {
      throw new ModelException(ModelException.Kind.FAILED, "The model was closed");
    }
    GrammarTokenizer present = tokenizer;
    if (present == null) {
      present = new GrammarTokenizer(text);
      tokenizer = present;
    }
    present.retain();
    return present;
  }

  /** Whoever comes next begins with another. */
  private synchronized void giveUp(GrammarTokenizer failed) {
    if (failed == tokenizer) {
      failed.release();
      tokenizer = null;
    }
    failed.release();
  }

  private static void open() {
    try {
      GrammarLibrary.open();
    } catch (MlxException e) {
      throw new ModelException(
          ModelException.Kind.UNSUPPORTED,
          "Answers can't be constrained here: " + e.getMessage(),
          e);
    }
  }

  @Override
  public synchronized void close() {
    closed = true;
    if (tokenizer != null) {
      tokenizer.release();
      tokenizer = null;
    }
  }
}
