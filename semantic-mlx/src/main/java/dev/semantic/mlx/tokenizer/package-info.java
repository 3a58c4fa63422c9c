/**
 * From text to tokens and back: tokenizers from a model file's own metadata, special tokens, chat.
 * Begin with {@link dev.semantic.mlx.tokenizer.Tokenizers}.
 */
@NullMarked
package dev.semantic.mlx.tokenizer;

import org.jspecify.annotations.NullMarked;
