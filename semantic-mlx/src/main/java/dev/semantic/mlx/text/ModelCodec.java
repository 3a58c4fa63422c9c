package dev.semantic.mlx.text;

import dev.semantic.spi.TextCodec;

/** A model's tokens and texts, with memory outside of the heap. */
public interface ModelCodec extends TextCodec, AutoCloseable {
  @Override
  void close();
}
