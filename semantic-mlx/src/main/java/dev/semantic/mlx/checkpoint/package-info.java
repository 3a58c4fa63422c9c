/**
 * A model's files, read and checked: GGUF, and directories of safetensors. Begin with {@link
 * dev.semantic.mlx.checkpoint.Checkpoint}.
 */
@NullMarked
package dev.semantic.mlx.checkpoint;

import org.jspecify.annotations.NullMarked;
