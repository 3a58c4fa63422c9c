/** A disk that fails when it is told to. Begin with {@link dev.semantic.cache.disk.FaultyDisk}. */
@NullMarked
package dev.semantic.cache.disk;

import org.jspecify.annotations.NullMarked;
