/**
 * A runtime without weights, for tests: what it computes is a pure function of the model and of
 * every key and value it holds, so a lost or a foreign cache shows in the next token. Begin with
 * {@link dev.semantic.scripted.ScriptedHost}.
 */
@NullMarked
package dev.semantic.scripted;

import org.jspecify.annotations.NullMarked;
