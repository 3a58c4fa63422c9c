package dev.semantic.engine;

import dev.semantic.spi.LoadedModel;
import dev.semantic.spi.TextCodec;

/** What an engine serves with. */
record Serving(LoadedModel model, TextCodec text) {}
