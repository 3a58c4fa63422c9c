/** The library in use: the shortest program that swaps. Begin with {@code PlainApi}. */
@NullMarked
package dev.semantic.examples;

import org.jspecify.annotations.NullMarked;
