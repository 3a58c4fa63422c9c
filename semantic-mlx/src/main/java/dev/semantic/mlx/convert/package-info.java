/**
 * Conversion: any model that can be loaded, written anew as a directory in MLX's layout, quantised
 * on the way or as it is. Begin with {@code ModelConversion}. Nothing native here, and no more of a
 * model in memory than some rows.
 */
@NullMarked
package dev.semantic.mlx.convert;

import org.jspecify.annotations.NullMarked;
