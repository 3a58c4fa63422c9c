package dev.semantic.journal;

import dev.semantic.model.ModelId;
import dev.semantic.model.ModelTag;
import java.time.Instant;
import java.util.Optional;

/**
 * A swap that begins.
 *
 * @param id the same in reports, logs and events
 * @param from what serves; empty for a first load
 * @param to what is wanted; empty for an unload
 */
public record SwapEntry(
    String id, Instant started, Optional<ModelTag> from, Optional<ModelId> to) {}
