/**
 * Files, answers and frames as somebody with intentions would write them: right in every length and
 * checksum, and wrong elsewhere. Begin with {@link dev.semantic.fuzz.FuzzTarget}.
 */
@org.jspecify.annotations.NullMarked
package dev.semantic.fuzz;
