/**
 * One cache file: what it says of itself, the sections of numbers behind that, their checksums and
 * their encryption; how it is written, read and called. {@code docs/cache-format.md} describes it.
 * Begin with {@link dev.semantic.store.format.CacheFormat}.
 */
@NullMarked
package dev.semantic.store.format;

import org.jspecify.annotations.NullMarked;
