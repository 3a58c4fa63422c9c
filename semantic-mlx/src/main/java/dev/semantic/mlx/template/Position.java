package dev.semantic.mlx.template;

/** A place in a template; both count from one. */
record Position(int line, int column) {}
