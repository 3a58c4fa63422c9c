/**
 * An agent's keys and values outside of a model: what a backend gives and takes, what a store
 * keeps, and the blocks of memory that all of it is counted in. Begin with {@link
 * dev.semantic.kv.KvSnapshot}.
 */
@NullMarked
package dev.semantic.kv;

import org.jspecify.annotations.NullMarked;
