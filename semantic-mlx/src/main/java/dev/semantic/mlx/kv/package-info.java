/**
 * KV caches as they live in MLX, one per layer and sequence. Begin with {@link
 * dev.semantic.mlx.kv.KvCache}.
 */
@NullMarked
package dev.semantic.mlx.kv;

import org.jspecify.annotations.NullMarked;
