/**
 * What a swap leaves on disk about itself, so that a start after a crash can say what was under
 * way. Begin with {@link dev.semantic.journal.SwapJournal}.
 */
@NullMarked
package dev.semantic.journal;

import org.jspecify.annotations.NullMarked;
