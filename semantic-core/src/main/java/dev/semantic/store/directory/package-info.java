/**
 * The files of one root: a directory per model, with its agents' files and the blocks that they
 * share, which of them somebody needs, and who may touch them meanwhile. Begin with {@link
 * dev.semantic.store.directory.RootLayout}.
 */
@NullMarked
package dev.semantic.store.directory;

import org.jspecify.annotations.NullMarked;
