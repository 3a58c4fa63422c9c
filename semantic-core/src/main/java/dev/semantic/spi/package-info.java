/** The ports a backend implements. Begin with {@link dev.semantic.spi.ModelRuntime}. */
@NullMarked
package dev.semantic.spi;

import org.jspecify.annotations.NullMarked;
