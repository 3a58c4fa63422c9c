/**
 * Two agents who keep their memory while the model under them changes. Begin with {@code Demo}; it
 * uses the public API and nothing else.
 */
@NullMarked
package dev.semantic.examples.demo;

import org.jspecify.annotations.NullMarked;
