package dev.semantic.mlx.files;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonFactoryBuilder;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.semantic.model.ModelException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** JSON of strangers: bounded in size and depth, no key twice, nothing behind its end. */
public final class JsonText {
  private static final int DEEPEST = 100;

  /** Knows the bounds; for reading piece by piece. */
  public static final JsonFactory FACTORY =
      new JsonFactoryBuilder()
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNestingDepth(DEEPEST)
                  .maxStringLength(64 << 20)
                  .build())
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS) // as Python writes infinity
          .build();

  private static final ObjectMapper JSON =
      new ObjectMapper(FACTORY).enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  private JsonText() {}

  /**
   * Reads a file that holds one object.
   *
   * @param most bytes it may have
   * @throws ModelException if it cannot be read, or is not that
   */
  public static Map<String, @Nullable Object> read(Path file, long most) {
    try {
      long size = Files.size(file);
      if (size > most) {
        throw new ModelException(
            "%s has %d bytes, more than the %d that such a file may have. Is it damaged?"
                .formatted(file.getFileName(), size, most));
      }
      Map<String, @Nullable Object> object =
          JSON.readValue(Files.readAllBytes(file), new TypeReference<>() {});
      if (object == null) {
        throw new ModelException(file.getFileName() + " is null, expected a JSON object");
      }
      return object;
    } catch (JsonProcessingException e) {
      throw new ModelException(
          "%s is not the JSON object it should be: %s".formatted(file.getFileName(), brief(e)), e);
    } catch (IOException e) {
      throw new ModelException("Cannot read %s: %s".formatted(file, e.getMessage()), e);
    }
  }

  /** What is wrong and where, without the text around it. */
  public static String brief(JsonProcessingException e) {
    return e.getLocation() == null
        ? String.valueOf(e.getOriginalMessage())
        : "%s (line %d, column %d)"
            .formatted(
                e.getOriginalMessage(), e.getLocation().getLineNr(), e.getLocation().getColumnNr());
  }
}
