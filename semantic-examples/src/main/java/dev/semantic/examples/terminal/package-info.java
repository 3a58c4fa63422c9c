/** Where programs write and how they show progress. Begin with {@code Terminal}. */
@NullMarked
package dev.semantic.examples.terminal;

import org.jspecify.annotations.NullMarked;
