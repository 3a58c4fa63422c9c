/**
 * Jinja as chat templates use it, with the semantics of Python's jinja2 as transformers sets it up:
 * trimmed blocks, stripped lines, loop controls, and no way to anything but the values given. Begin
 * with {@link dev.semantic.mlx.template.ChatTemplate}.
 */
@NullMarked
package dev.semantic.mlx.template;

import org.jspecify.annotations.NullMarked;
