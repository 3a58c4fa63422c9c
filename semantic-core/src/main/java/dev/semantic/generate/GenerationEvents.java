package dev.semantic.generate;

import java.util.Iterator;
import java.util.concurrent.Flow;

/**
 * The events of a generation, in order from the first; the last is {@link GenerationEvent.Finished}
 * or {@link GenerationEvent.Failed}. For one thread that goes through them, or for subscribers.
 *
 * <p>As an iterator its {@code next} waits for an event, and throws a {@link RequestException} of
 * the kind {@link RequestException.Kind#INTERRUPTED} if that is interrupted.
 *
 * <p>As a publisher it tells each subscriber all events, on a thread of the subscriber's own: who
 * is slow holds nobody up. A failure comes as {@code onError}, with what {@link Generation#await()}
 * throws. To cancel a subscription is to cancel the generation.
 */
public interface GenerationEvents
    extends Iterator<GenerationEvent>, Flow.Publisher<GenerationEvent> {}
