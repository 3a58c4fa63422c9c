/**
 * The command line: one class a command over a {@code SemanticCommand}. Begin with {@code Main}.
 */
@NullMarked
package dev.semantic.examples.cli;

import org.jspecify.annotations.NullMarked;
