package dev.semantic.swap;

import dev.semantic.memory.ByteSize;
import java.util.Optional;

/**
 * How a swap will go, and why.
 *
 * @param reason in words, with the sizes that decided it
 * @param toLoad bytes of weights that will be brought into memory
 * @param needed the most memory that models and caches take on the way
 * @param estimate how long it will take; empty before anything like it was done
 */
public record SwapPlan(
    SwapStrategy strategy,
    String reason,
    ByteSize toLoad,
    ByteSize needed,
    Optional<SwapEstimate> estimate) {}
