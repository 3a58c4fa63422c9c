package dev.semantic.swap;

import java.time.Duration;

/**
 * How long a swap is going to take, by those before it that went the same way.
 *
 * @param swaps how many that were
 */
public record SwapEstimate(Duration total, Duration blackout, int swaps) {}
