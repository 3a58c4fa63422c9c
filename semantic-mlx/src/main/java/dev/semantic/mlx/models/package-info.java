/**
 * Which models there are, where they lie (our own cache, the hub's, directories that were added),
 * and how they get there. Begin with {@code ModelCatalog} and {@code ModelFetcher}. Nothing native
 * here.
 */
@NullMarked
package dev.semantic.mlx.models;

import org.jspecify.annotations.NullMarked;
