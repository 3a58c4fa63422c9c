package dev.semantic.mlx.grammar;

import dev.semantic.generate.Constraint;
import dev.semantic.mlx.MlxException;
import dev.semantic.mlx.capi.GrammarLibrary;
import dev.semantic.model.ModelException;
import dev.semantic.spi.TokenMatcher;
import dev.semantic.spi.Tokenizer;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Compiles constraints for one model's tokens. What llguidance needs to know of them is made when
 * the first constraint comes, which takes a second for a large vocabulary, and freed when this was
 * closed and no matcher is left. Any thread.
 */
public final class Grammars implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Grammars.class);
  private static final Duration LONGEST = Duration.ofSeconds(60);

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

  /** Taken for one matcher, which lets go of it. */
  private synchronized GrammarTokenizer tokenizer() {
    if (closed) {
      throw new ModelException(ModelException.Kind.FAILED, "The model was closed");
    }
    GrammarTokenizer present = tokenizer;
    if (present == null) {
      long begun = System.nanoTime();
      open();
      GrammarTokenizer made = new GrammarTokenizer(text);
      try {
        GrammarThreads.call(made::open, LONGEST, made::release);
      } catch (RuntimeException | Error e) {
        made.release();
        throw e;
      }
      tokenizer = made;
      present = made;
      LOG.debug("A vocabulary for constraints took {} ms", (System.nanoTime() - begun) / 1_000_000);
    }
    present.retain();
    return present;
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
