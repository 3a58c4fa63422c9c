/**
 * One method per mlx-c function that is used, and nothing else: the only room that links native
 * code. Structs of one pointer ({@code mlx_array}, {@code mlx_stream}, ...) are passed as {@code
 * long}, the optional structs as a {@code long} too: the calling conventions of x86-64 Linux and of
 * 64-bit Arm put both into one integer register. Begin with {@link dev.semantic.mlx.capi.Symbols}.
 */
@NullMarked
package dev.semantic.mlx.capi;

import org.jspecify.annotations.NullMarked;
