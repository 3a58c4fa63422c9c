package dev.semantic.engine;

import dev.semantic.formats.AnswerFormats;
import dev.semantic.spi.AnswerFormat;
import dev.semantic.spi.LoadedModel;
import dev.semantic.spi.Tokenizer;

/**
 * What an engine serves with.
 *
 * @param format how its answers to conversations are written
 */
record ServingModel(LoadedModel model, Tokenizer text, AnswerFormat format) {
  ServingModel(LoadedModel model, Tokenizer text) {
    this(model, text, AnswerFormats.of(text.chatTemplate()));
  }
}
