/**
 * What touches the per-user cache: directories and files that appear whole or not at all, checksums
 * and archives. Begin with {@code OnceDirectory}. Nothing here knows MLX or models.
 */
@NullMarked
package dev.semantic.mlx.files;

import org.jspecify.annotations.NullMarked;
