/** Sizes, and what a runtime's memory looks like. Nothing here allocates any. */
@NullMarked
package dev.semantic.memory;

import org.jspecify.annotations.NullMarked;
