/**
 * Files of one user: private, durable, whole or not at all, locked between processes. Begin with
 * {@link dev.semantic.io.PrivateFiles}.
 */
@NullMarked
package dev.semantic.io;

import org.jspecify.annotations.NullMarked;
