/** The admin's interface: which model serves, swaps, agents' caches, health. */
@NullMarked
package dev.semantic.examples.server.admin;

import org.jspecify.annotations.NullMarked;
