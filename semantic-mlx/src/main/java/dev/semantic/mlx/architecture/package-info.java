/**
 * What models are made of: an architecture turns a configuration into the description of a decoder,
 * and nothing here computes. Begin with {@link dev.semantic.mlx.architecture.Architecture}; a host
 * adds its own through it.
 */
@NullMarked
package dev.semantic.mlx.architecture;

import org.jspecify.annotations.NullMarked;
