/**
 * The whole core under one seed: a virtual clock, and a scheduler that lets one thread run at a
 * time and decides at every lock, wait and port call who is next. What fails once fails again with
 * its seed. Begin with {@link dev.semantic.simulation.SimulationTest}.
 */
@NullMarked
package dev.semantic.simulation;

import org.jspecify.annotations.NullMarked;
