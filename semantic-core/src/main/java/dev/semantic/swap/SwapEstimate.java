package dev.semantic.swap;

import java.time.Duration;

/**
 * How long a swap is going to take, by those before it that went the same way: those that began
 * while requests were being answered if that is so now, else those that did not; by all of them
 * where none is like that.
 *
 * @param swaps how many that were
 */
public record SwapEstimate(Duration total, Duration blackout, int swaps) {}
