/**
 * The number formats that weights have in files: their blocks, and how they are unpacked, expanded
 * and packed again. Nothing native, and no files. Begin with {@link
 * dev.semantic.mlx.quant.TensorType}.
 */
@NullMarked
package dev.semantic.mlx.quant;

import org.jspecify.annotations.NullMarked;
