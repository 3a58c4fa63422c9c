/**
 * The few calls of the C library itself: advice on pages of files and memory, and giving freed
 * memory back.
 */
@NullMarked
package dev.semantic.mlx.capi.os;

import org.jspecify.annotations.NullMarked;
