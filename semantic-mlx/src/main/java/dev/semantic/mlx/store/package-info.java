/**
 * The store: which models there are, where they lie (our own cache, the hub's, directories that
 * were added), and how they get there. Begin with {@code ModelCatalog} and {@code ModelFetcher}.
 * Nothing native here.
 */
@NullMarked
package dev.semantic.mlx.store;

import org.jspecify.annotations.NullMarked;
