/** OpenAI's interfaces: chat completions, completions. */
@NullMarked
package dev.semantic.examples.server.openai;

import org.jspecify.annotations.NullMarked;
