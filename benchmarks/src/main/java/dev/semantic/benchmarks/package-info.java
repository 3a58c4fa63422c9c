/**
 * What is measured, and how: JMH benchmarks and the two experiments. Run {@code benchmarks/run}.
 */
@NullMarked
package dev.semantic.benchmarks;

import org.jspecify.annotations.NullMarked;
