package dev.semantic.swap;

/**
 * How a swap will go, and why.
 *
 * @param reason in words, with the sizes that decided it
 */
public record SwapPlan(SwapStrategy strategy, String reason) {}
