/**
 * The Transformer and its layers. Nothing here knows devices, files or number formats. Begin with
 * {@link dev.semantic.mlx.layers.Transformer}.
 */
@NullMarked
package dev.semantic.mlx.layers;

import org.jspecify.annotations.NullMarked;
