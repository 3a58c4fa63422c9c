/**
 * Agents' memory: what a KV cache looks like outside the model, where it is kept and how it is
 * found again. Begin with {@link dev.semantic.cache.KvSnapshot}.
 */
@NullMarked
package dev.semantic.cache;

import org.jspecify.annotations.NullMarked;
