/**
 * Where time, threads and locks come from. Not exported: there for the tests, which put all three
 * under one seed. Begin with {@link dev.semantic.timeline.Timeline}.
 */
@NullMarked
package dev.semantic.timeline;

import org.jspecify.annotations.NullMarked;
