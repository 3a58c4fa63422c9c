package dev.semantic.mlx.template;

/**
 * Which of a macro's special names its body uses: only what is used may be given.
 *
 * @param kwargs further arguments by name
 * @param varargs further arguments by place
 */
record Specials(boolean caller, boolean kwargs, boolean varargs) {}
