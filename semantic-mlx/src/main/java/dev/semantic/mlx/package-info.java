/** The MLX backend's public face. Nothing native shows through it. */
@NullMarked
package dev.semantic.mlx;

import org.jspecify.annotations.NullMarked;
