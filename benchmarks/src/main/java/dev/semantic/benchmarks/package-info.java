/** What is measured, and how: JMH benchmarks and the experiments. Run {@code benchmarks/run}. */
@NullMarked
package dev.semantic.benchmarks;

import org.jspecify.annotations.NullMarked;
