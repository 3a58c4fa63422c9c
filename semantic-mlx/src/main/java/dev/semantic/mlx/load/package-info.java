/**
 * From a checkpoint to arrays in MLX: the only room that knows in which form weights are held.
 * Begin with {@link dev.semantic.mlx.load.WeightAllocator}.
 */
@NullMarked
package dev.semantic.mlx.load;

import org.jspecify.annotations.NullMarked;
