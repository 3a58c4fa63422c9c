/**
 * The small tensor language in which models are written: arrays that live in scopes, on one thread.
 * Begin with {@link dev.semantic.mlx.array.Scope}.
 */
@NullMarked
package dev.semantic.mlx.array;

import org.jspecify.annotations.NullMarked;
