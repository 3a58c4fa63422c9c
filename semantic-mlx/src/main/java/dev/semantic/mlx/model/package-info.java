/**
 * The architectures: one readable file each, over shared layers. Nothing here knows devices, files
 * or number formats. Begin with {@link dev.semantic.mlx.model.Transformer}.
 */
@NullMarked
package dev.semantic.mlx.model;

import org.jspecify.annotations.NullMarked;
