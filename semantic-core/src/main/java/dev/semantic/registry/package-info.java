/** What a host holds in its hand. Begin with {@link dev.semantic.registry.ModelRegistry}. */
@NullMarked
package dev.semantic.registry;

import org.jspecify.annotations.NullMarked;
