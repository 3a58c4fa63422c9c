/** mlx-c as Java methods, and where its library is found. Begin with {@code NativeLibrary}. */
@NullMarked
package dev.semantic.mlx.capi;

import org.jspecify.annotations.NullMarked;
