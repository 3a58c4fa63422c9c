/** What a conversation consists of. */
@NullMarked
package dev.semantic.chat;

import org.jspecify.annotations.NullMarked;
