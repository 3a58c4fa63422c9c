/**
 * What the core says. Not exported. Begin with {@link dev.semantic.log.Log}: words come after acts,
 * and cannot keep anything from being done.
 */
@NullMarked
package dev.semantic.log;

import org.jspecify.annotations.NullMarked;
