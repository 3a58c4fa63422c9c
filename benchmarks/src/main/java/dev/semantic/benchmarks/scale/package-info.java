/**
 * EXP-016: models of the seed's own scale, made up, and swaps among them. Begin with {@link
 * dev.semantic.benchmarks.scale.SeedModels}, which writes them, then {@link
 * dev.semantic.benchmarks.scale.SeedScaleExperiment}.
 */
@NullMarked
package dev.semantic.benchmarks.scale;

import org.jspecify.annotations.NullMarked;
