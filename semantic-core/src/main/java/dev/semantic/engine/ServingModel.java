package dev.semantic.engine;

import dev.semantic.spi.LoadedModel;
import dev.semantic.spi.Tokenizer;

/** What an engine serves with. */
record ServingModel(LoadedModel model, Tokenizer text) {}
