package dev.semantic.engine;

import dev.semantic.generate.ArrivalPolicy;
import dev.semantic.generate.RequestException;
import dev.semantic.model.ModelId;
import dev.semantic.timeline.Nanos;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What is known of the model to come.
 *
 * @param model requests that name it wait for it, although another one serves; null for none
 * @param arrivals what becomes of requests that come while no model serves
 * @param retryAfter when those that are refused may ask again
 * @param nobody why no model is coming; null if one may
 */
record SwapNotice(
    @Nullable ModelId model,
    ArrivalPolicy arrivals,
    Duration retryAfter,
    @Nullable Supplier<RequestException> nobody) {
  static final SwapNotice NOTHING = new SwapNotice(null, ArrivalPolicy.QUEUE, Duration.ZERO, null);

  /** No model is coming, for this reason. */
  static SwapNotice nobody(Supplier<RequestException> why) {
    return new SwapNotice(null, ArrivalPolicy.REFUSE, Duration.ZERO, why);
  }

  /**
   * Lets a request in that comes while no model serves.
   *
   * @throws RequestException if it has to come again
   */
  void admit() {
    if (nobody != null) {
      throw nobody.get();
    }
    if (arrivals == ArrivalPolicy.REFUSE) {
      throw new RequestException(
          RequestException.Kind.NO_MODEL,
          "The model is being changed; ask again in "
              + TimeUnit.NANOSECONDS.toMillis(Nanos.of(retryAfter))
              + " ms",
          retryAfter);
    }
  }

  /** Whether a request is meant for the model to come, and not for the present one. */
  boolean isFor(Request queued, ModelId present) {
    return queued
        .request()
        .model()
        .filter(id -> !id.equals(present) && id.equals(model))
        .isPresent();
  }
}
