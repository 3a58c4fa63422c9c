/**
 * Where MLX's native libraries come from, for which machine, and how they are verified before they
 * are loaded. Begin with {@link dev.semantic.mlx.capi.natives.NativeLibrary}.
 */
@NullMarked
package dev.semantic.mlx.capi.natives;

import org.jspecify.annotations.NullMarked;
