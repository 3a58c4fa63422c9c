/**
 * What a host asks and what it gets: messages, prompts, sampling, and the tokens of an answer; and
 * how requests are served, many at a time and while the model changes. Begin with {@link
 * dev.semantic.generate.GenerationRequest}.
 */
@NullMarked
package dev.semantic.generate;

import org.jspecify.annotations.NullMarked;
