/**
 * What a host is told of a swap: its plan, its phases, its report, and what went wrong. Begin with
 * {@link dev.semantic.swap.SwapReport}. Nothing here knows MLX, or does anything.
 */
@NullMarked
package dev.semantic.swap;

import org.jspecify.annotations.NullMarked;
