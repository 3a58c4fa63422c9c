/**
 * The store: which models can be fetched, where they lie in the user's cache, and how they get
 * there. Begin with {@code ModelCatalog}. Nothing native here.
 */
@NullMarked
package dev.semantic.mlx.store;

import org.jspecify.annotations.NullMarked;
