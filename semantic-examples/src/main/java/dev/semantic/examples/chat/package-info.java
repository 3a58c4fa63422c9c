/** A conversation at the terminal. Begin with {@code Conversation}. */
@NullMarked
package dev.semantic.examples.chat;

import org.jspecify.annotations.NullMarked;
