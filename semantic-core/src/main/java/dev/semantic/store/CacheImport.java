package dev.semantic.store;

import dev.semantic.kv.AgentId;
import dev.semantic.model.ModelTag;
import java.nio.file.Path;
import java.util.Optional;

/**
 * An exported cache that is to be parked. Immutable; begin with {@link #of}.
 *
 * @param file what {@link CacheView#export} wrote
 * @param expected the model that it must be of; without, it must not meet caches of a model of that
 *     name and other weights, which are the model that is used here
 * @param as whose it is to be; without, whose it was
 * @param replacing whether it takes the place of what that agent has here
 */
public record CacheImport(
    Path file, Optional<ModelTag> expected, Optional<AgentId> as, boolean replacing) {
  public static CacheImport of(Path file) {
    return new CacheImport(file, Optional.empty(), Optional.empty(), false);
  }

  public CacheImport expecting(ModelTag tag) {
    return new CacheImport(file, Optional.of(tag), as, replacing);
  }

  public CacheImport as(AgentId agent) {
    return new CacheImport(file, expected, Optional.of(agent), replacing);
  }

  public CacheImport withReplacing(boolean value) {
    return new CacheImport(file, expected, as, value);
  }
}
