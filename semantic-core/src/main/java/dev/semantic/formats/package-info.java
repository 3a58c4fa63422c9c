/**
 * How families of models write thoughts and calls of tools, one family a file. Begin with {@link
 * dev.semantic.formats.AnswerFormats}. Pure text in, events out; nothing here knows a model.
 */
@NullMarked
package dev.semantic.formats;

import org.jspecify.annotations.NullMarked;
