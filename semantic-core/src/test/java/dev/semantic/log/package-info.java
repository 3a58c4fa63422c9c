/** What the core says, and to whom. */
@NullMarked
package dev.semantic.log;

import org.jspecify.annotations.NullMarked;
