package dev.semantic.engine;

import dev.semantic.spi.LoadedModel;
import dev.semantic.spi.TextCodec;

/** What an engine serves with. */
record ServingModel(LoadedModel model, TextCodec text) {}
