/** Benchmarks of what the engine keeps to itself: they lie in its package, on the class path. */
@NullMarked
package dev.semantic.engine;

import org.jspecify.annotations.NullMarked;
