/**
 * A model hub as Hugging Face's speaks it, and its cache on disk: listings, files in parallel
 * ranges, checks, publication. Begin with {@code HubFetch}. The only package that speaks HTTP.
 */
@NullMarked
package dev.semantic.mlx.models.hub;

import org.jspecify.annotations.NullMarked;
