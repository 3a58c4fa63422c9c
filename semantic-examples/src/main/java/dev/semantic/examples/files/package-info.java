/** What examples keep on disk. */
@NullMarked
package dev.semantic.examples.files;

import org.jspecify.annotations.NullMarked;
