/**
 * The HTTP server of {@code semantic serve}: clients' interfaces over one {@code ModelRegistry},
 * and an admin's to change its model while they go on. It uses the library's public types only.
 * Begin with {@code Server}.
 */
@NullMarked
package dev.semantic.examples.server;

import org.jspecify.annotations.NullMarked;
