/**
 * From text to tokens and back: tokenizers from a model file's own metadata, special tokens, chat.
 * Begin with {@link dev.semantic.mlx.text.Tokenizers}.
 */
@NullMarked
package dev.semantic.mlx.text;

import org.jspecify.annotations.NullMarked;
