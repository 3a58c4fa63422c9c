/**
 * What a model is called, what it looks like, and how its cache is laid out. Begin with {@link
 * dev.semantic.model.ModelSpec}.
 */
@NullMarked
package dev.semantic.model;

import org.jspecify.annotations.NullMarked;
