package dev.semantic.swap;

import dev.semantic.memory.ByteSize;
import java.util.Optional;

/**
 * How a swap will go, and why.
 *
 * @param reason in words, with the sizes that decided it
 * @param compute the form in which the next model's weights will be computed with, as {@link
 *     dev.semantic.model.ModelSpec#compute} has it; empty where none is loaded
 * @param toLoad bytes of weights, in that form, that will be brought into memory
 * @param needed the most memory that models and caches take on the way
 * @param estimate how long it will take; empty before anything like it was done
 */
public record SwapPlan(
    SwapStrategy strategy,
    String reason,
    Optional<String> compute,
    ByteSize toLoad,
    ByteSize needed,
    Optional<SwapEstimate> estimate) {}
