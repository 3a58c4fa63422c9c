/** A disk that fails when it is told to. Begin with {@link dev.semantic.store.disk.FaultyDisk}. */
@NullMarked
package dev.semantic.store.disk;

import org.jspecify.annotations.NullMarked;
