package dev.semantic.engine;

import dev.semantic.generate.Constraint;
import dev.semantic.generate.RequestException;
import dev.semantic.log.Log;
import dev.semantic.spi.TokenMatcher;
import dev.semantic.spi.Tokenizer;
import dev.semantic.timeline.Monitor;
import dev.semantic.timeline.ThreadFrame;
import org.jspecify.annotations.Nullable;

/**
 * A constraint at work on one answer. What may come next is found out on a thread of its own while
 * the model computes; the scheduler asks whether it is known, and never waits for it.
 */
final class AnswerConstraint implements ThreadFrame.Work {
  private static final Log LOG = Log.of(AnswerConstraint.class);

  private final Constraint constraint;
  private final Tokenizer text;
  private final Monitor monitor;
  private final Runnable wake;
  private int @Nullable [] taken; // by the answer, not by the matcher; under the monitor
  private boolean closed; // under the monitor
  private volatile TokenMatcher.@Nullable Next next; // null while it is being found out
  private volatile @Nullable RequestException failure;

  /**
   * Not at work.
   *
   * @param taken the answer so far
   * @param wake lets the scheduler know that it may go on
   */
  AnswerConstraint(
      Constraint constraint, Tokenizer text, int[] taken, Monitor monitor, Runnable wake) {
    this.constraint = constraint;
    this.text = text;
    this.taken = taken;
    this.monitor = monitor;
    this.wake = wake;
  }

  /** Whether it is known what may come next, or that it never will be. */
  boolean isReady() {
    return next != null || failure != null;
  }

  /**
   * What may come next, once it is ready.
   *
   * @throws RequestException if it will never be known
   */
  TokenMatcher.Next next() {
    RequestException failed = failure;
    if (failed != null) {
      throw failed;
    }
    TokenMatcher.Next known = next;
    if (known == null) {
      throw new IllegalStateException("asked before it was known");
    }
    return known;
  }

  /** The answer has gone on with these. */
  void take(int[] tokens) {
    monitor.lock();
    try {
      next = null;
      taken = tokens;
      monitor.signalAll();
    } finally {
      monitor.unlock();
    }
  }

  /** Nobody asks any more. Returns at once; allocates nothing. */
  void close() {
    monitor.lock();
    try {
      closed = true;
      monitor.signalAll();
    } finally {
      monitor.unlock();
    }
  }

  @Override
  public void run() throws InterruptedException {
    try (TokenMatcher matcher = text.match(constraint)) {
      for (int[] tokens = awaitTokens(); tokens != null; tokens = awaitTokens()) {
        next = matcher.accept(tokens);
        wake.run();
      }
    }
  }

  /** Those that the answer has gone on with; null when it does no more. */
  private int @Nullable [] awaitTokens() throws InterruptedException {
    monitor.lock();
    try {
      while (taken == null && !closed) {
        monitor.await();
      }
      int[] tokens = closed ? null : taken;
      taken = null;
      return tokens;
    } finally {
      monitor.unlock();
    }
  }

  @Override
  public void ended(@Nullable Throwable thrown) {
    if (thrown != null) {
      failure = RequestException.of(thrown);
      LOG.debug("A constraint is at its end", thrown);
      wake.run();
    }
  }
}
