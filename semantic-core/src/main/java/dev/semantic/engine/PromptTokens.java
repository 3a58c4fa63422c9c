package dev.semantic.engine;

import dev.semantic.generate.Constraint;
import dev.semantic.generate.RequestException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A prompt on its way to the tokens of one model. Another model has other ones: what was made for
 * one {@link ServingModel} says nothing to the next.
 */
final class PromptTokens {
  private final Request request;
  private final ServingModel by;
  private int[] tokens = {}; // this and the two below: its maker's, until it is made
  private Optional<Constraint> constraint = Optional.empty();
  private @Nullable RequestException refusal;
  private boolean made; // this and its maker: under the engine's lock
  private @Nullable Thread maker;

  PromptTokens(Request request, ServingModel by) {
    this.request = request;
    this.by = by;
  }

  Request request() {
    return request;
  }

  ServingModel by() {
    return by;
  }

  /**
   * There they are.
   *
   * @param bound what the answer must look like
   */
  void make(int[] value, Optional<Constraint> bound) {
    tokens = value;
    constraint = bound;
  }

  void refuse(RequestException cause) {
    refusal = cause;
  }

  /** This thread is about to make it. */
  void take() {
    maker = Thread.currentThread();
  }

  /** Nobody wants it any more: whoever is at it may stop, as templates and tokenizers do. */
  void abandon() {
    if (maker != null && !made) {
      maker.interrupt();
    }
  }

  /** Whoever made it is done with it. */
  void publish() {
    made = true;
    maker = null;
  }

  boolean isMade() {
    return made;
  }

  /** What the answer must look like, once it is made. */
  Optional<Constraint> constraint() {
    return constraint;
  }

  /** Once it is made. */
  int[] orThrow() {
    if (refusal != null) {
      throw refusal;
    }
    return tokens;
  }
}
