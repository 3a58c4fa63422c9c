/**
 * Where agents' caches are kept, and how they are found again: the port and its values, the store
 * on disk, and its maintenance. It stands on {@code store.directory}, the files of one root, and
 * that on {@code store.format}, one of them. Begin with {@link dev.semantic.store.CacheStore}.
 */
@NullMarked
package dev.semantic.store;

import org.jspecify.annotations.NullMarked;
