/**
 * Serving, for the registry alone: requests, their answers, and the engine that steps the model.
 * Begin with {@code BatchEngine}.
 */
@NullMarked
package dev.semantic.engine;

import org.jspecify.annotations.NullMarked;
