/**
 * The same runtime in a process that may die without taking the host along. Begin with {@link
 * dev.semantic.mlx.isolated.IsolatedRuntime}; the other side is {@link
 * dev.semantic.mlx.isolated.RuntimeServer}.
 */
@NullMarked
package dev.semantic.mlx.isolated;

import org.jspecify.annotations.NullMarked;
