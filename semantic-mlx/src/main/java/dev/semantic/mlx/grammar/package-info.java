/**
 * Constraints on what a model may say, enforced by llguidance. Begin with {@link
 * dev.semantic.mlx.grammar.Grammars}. Nothing here knows MLX: it needs a tokenizer only.
 */
@NullMarked
package dev.semantic.mlx.grammar;

import org.jspecify.annotations.NullMarked;
