/**
 * What every backend must keep to, as tests. Begin with {@link
 * dev.semantic.contract.ModelRuntimeContract}.
 */
@NullMarked
package dev.semantic.contract;

import org.jspecify.annotations.NullMarked;
