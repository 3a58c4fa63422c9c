package dev.semantic.mlx.testing;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Random small models in MLX's directory layout, and what mlx-lm computes from them. */
public final class TinyModels {
  private TinyModels() {}

  /** Their directories; {@code -Dsemantic.tiny.models=DIR} names others. */
  public static List<Path> all() {
    try (Stream<Path> found = Files.list(root())) {
      List<Path> models =
          found.filter(each -> Files.exists(each.resolve("expected.json"))).sorted().toList();
      if (models.isEmpty()) {
        throw new IllegalStateException("no models in " + root());
      }
      return models;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public static Path of(String name) {
    return root().resolve(name);
  }

  private static Path root() {
    String elsewhere = System.getProperty("semantic.tiny.models", "");
    if (!elsewhere.isEmpty()) {
      return Path.of(elsewhere);
    }
    try {
      return Path.of(TinyModels.class.getResource("/reference").toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  public static JsonNode expected(Path model) {
    return json(model.resolve("expected.json"));
  }

  public static JsonNode json(Path file) {
    try {
      return new ObjectMapper().readTree(file.toFile());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
