/**
 * Model files: read, checked, and expanded on request. Begin with {@link
 * dev.semantic.mlx.weights.Checkpoint}.
 */
@NullMarked
package dev.semantic.mlx.weights;

import org.jspecify.annotations.NullMarked;
