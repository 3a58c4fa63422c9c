package dev.semantic.engine;

import dev.semantic.model.ModelId;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What is known of the model to come.
 *
 * @param model requests that name it wait for it, although another one serves; null for none
 * @param arrivals what becomes of requests that come while no model serves
 * @param retryAfter when those that are refused may ask again
 */
record Expectation(@Nullable ModelId model, ArrivalPolicy arrivals, Duration retryAfter) {
  static final Expectation NOTHING = new Expectation(null, ArrivalPolicy.QUEUE, Duration.ZERO);

  /**
   * Lets a request in that comes while no model serves.
   *
   * @throws RequestException if it has to come again
   */
  void admit() {
    if (arrivals == ArrivalPolicy.REFUSE) {
      throw new RequestException(
          RequestException.Kind.NO_MODEL,
          "The model is being changed; ask again in " + retryAfter.toMillis() + " ms",
          retryAfter);
    }
  }

  /** Whether a request is meant for the model to come, and not for the present one. */
  boolean isFor(Ticket ticket, ModelId present) {
    return ticket
        .request()
        .model()
        .filter(id -> !id.equals(present) && id.equals(model))
        .isPresent();
  }
}
