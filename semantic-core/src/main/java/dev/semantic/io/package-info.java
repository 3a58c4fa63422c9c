/** Files of one user. Begin with {@link dev.semantic.io.PrivateFiles}. */
@NullMarked
package dev.semantic.io;

import org.jspecify.annotations.NullMarked;
