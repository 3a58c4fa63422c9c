/**
 * The swap: a state machine and the hands that carry out its orders. Begin with {@link
 * dev.semantic.swap.SwapMachine}. Nothing here knows MLX.
 */
@NullMarked
package dev.semantic.swap;

import org.jspecify.annotations.NullMarked;
