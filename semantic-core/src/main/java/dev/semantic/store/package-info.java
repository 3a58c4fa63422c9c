/**
 * Where agents' caches are kept, and how they are found again: the port and its values, one cache
 * file, one root of them on disk, and its maintenance. Begin with {@link
 * dev.semantic.store.CacheStore}.
 */
@NullMarked
package dev.semantic.store;

import org.jspecify.annotations.NullMarked;
