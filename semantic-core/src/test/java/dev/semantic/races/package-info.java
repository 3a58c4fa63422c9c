/**
 * Calls of the registry from several threads at once, by Lincheck, and the question whether any
 * order of events explains what they came back with. Begin with {@code RegistryRacesTest}.
 */
@NullMarked
package dev.semantic.races;

import org.jspecify.annotations.NullMarked;
