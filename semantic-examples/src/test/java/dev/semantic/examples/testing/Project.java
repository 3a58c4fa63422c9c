package dev.semantic.examples.testing;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;

/** Files of this project, and the reference that both modules are tested against. */
public final class Project {
  public static final String SMOL = "smollm2-135m-instruct";
  public static final String GEMMA = "gemma-3-270m";

  private Project() {}

  /** This module's directory. */
  public static Path module() {
    return Path.of(System.getProperty("basedir", "")).toAbsolutePath();
  }

  public static Path root() {
    return module().resolve("..").normalize();
  }

  /** What mlx-lm makes of the two models. */
  public static JsonNode reference() throws IOException {
    Path file = root().resolve("semantic-mlx/src/test/resources/reference/real-models.json");
    return new ObjectMapper().readTree(file.toFile());
  }

  public static int[] ints(JsonNode array) {
    int[] values = new int[array.size()];
    java.util.Arrays.setAll(values, i -> array.get(i).intValue());
    return values;
  }
}
