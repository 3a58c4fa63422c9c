/**
 * Agents that keep talking while models are swapped under them, and an account of what they heard.
 * Begin with {@code AgentLoad}.
 */
@NullMarked
package dev.semantic.examples.talk;

import org.jspecify.annotations.NullMarked;
