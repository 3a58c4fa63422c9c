package dev.semantic.store;

import dev.semantic.memory.ByteSize;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;

/**
 * An agent's file below a cache root, as it is found there.
 *
 * @param state where it lies
 * @param file the agent's own file
 * @param size bytes of the file and of the blocks that it refers to, also those that it shares
 * @param used when it was last parked, loaded or put into quarantine
 * @param cache what its header says; empty if that cannot be read
 * @param problem why it cannot be read
 */
public record CacheEntry(
    CacheState state,
    Path file,
    ByteSize size,
    Instant used,
    Optional<ParkedCache> cache,
    Optional<String> problem) {}
