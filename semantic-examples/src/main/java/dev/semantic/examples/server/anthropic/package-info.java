/** Anthropic's Messages interface. */
@NullMarked
package dev.semantic.examples.server.anthropic;

import org.jspecify.annotations.NullMarked;
