package dev.semantic.mlx.text;

import dev.semantic.spi.TextCodec;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Stands in. */
public final class Tokenizers {
  private static @Nullable TextCodec none;

  private Tokenizers() {}

  public static @Nullable TextCodec open(Path path, Map<String, Object> metadata) {
    return none;
  }
}
