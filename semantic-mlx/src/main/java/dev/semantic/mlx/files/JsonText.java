package dev.semantic.mlx.files;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonFactoryBuilder;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.semantic.io.Reason;
import dev.semantic.model.ModelException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** JSON of strangers: bounded in size and depth, no key twice, nothing behind its end. */
public final class JsonText {
  private static final int DEEPEST = 100;
  private static final int LONGEST_TEXT = 64 << 20;

  /** A value takes a hundred times the memory that it takes in the file. */
  private static final int MOST_VALUES = 1_000_000;

  /** Knows the bounds; for reading piece by piece. */
  public static final JsonFactory FACTORY =
      new JsonFactoryBuilder()
          .streamReadConstraints(bounds(Integer.MAX_VALUE))
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS) // as Python writes infinity
          .build();

  /** Knows also how many values fit into memory; for what is read whole. */
  public static final JsonFactory WHOLE =
      new JsonFactoryBuilder().streamReadConstraints(bounds(MOST_VALUES)).build();

  private static final ObjectMapper JSON =
      new ObjectMapper(FACTORY.rebuild().streamReadConstraints(bounds(MOST_VALUES)).build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  private JsonText() {}

  private static StreamReadConstraints bounds(long tokens) {
    return StreamReadConstraints.builder()
        .maxNestingDepth(DEEPEST)
        .maxStringLength(LONGEST_TEXT)
        .maxTokenCount(tokens)
        .build();
  }

  /**
   * Reads a file that holds one object.
   *
   * @param most bytes it may have
   * @throws ModelException if it cannot be read, or is not that
   */
  public static Map<String, @Nullable Object> read(Path file, long most) {
    try {
      Object found = JSON.readValue(bytes(file, most), Object.class);
      if (!(found instanceof Map<?, ?>)) {
        throw new ModelException(
            ModelException.Kind.DAMAGED,
            "%s is %s, expected a JSON object".formatted(file.getFileName(), kind(found)));
      }
      @SuppressWarnings("unchecked") // an object of JSON
      Map<String, @Nullable Object> object = (Map<String, @Nullable Object>) found;
      return object;
    } catch (JsonProcessingException e) {
      throw new ModelException(
          ModelException.Kind.DAMAGED,
          "%s is not the JSON object it should be: %s. Fetch it again."
              .formatted(file.getFileName(), brief(e)),
          e);
    } catch (IOException e) {
      throw new ModelException(
          ModelException.Kind.FAILED, "Cannot read %s: %s".formatted(file, Reason.of(e)), e);
    }
  }

  /** No pipe and no device: those have no size, and reading them has no end. */
  private static byte[] bytes(Path file, long most) throws IOException {
    if (!Files.isRegularFile(file)) {
      throw new ModelException(ModelException.Kind.NOT_FOUND, file + " is not a file");
    }
    long size = Files.size(file);
    if (size > most) {
      throw new ModelException(
          ModelException.Kind.DAMAGED,
          "%s has %d bytes, more than the %d that such a file may have. Is it damaged?"
              .formatted(file.getFileName(), size, most));
    }
    if (size == 0) {
      throw new ModelException(
          ModelException.Kind.DAMAGED, "%s is empty. Fetch it again.".formatted(file));
    }
    try (InputStream in = Files.newInputStream(file)) {
      return in.readNBytes(Math.toIntExact(size)); // however it grows meanwhile
    }
  }

  private static String kind(@Nullable Object value) {
    return switch (value) {
      case null -> "null";
      case List<?> _ -> "a list";
      case String _ -> "a text";
      case Number _ -> "a number";
      default -> value.toString();
    };
  }

  /** What is wrong and where, without the text around it. */
  public static String brief(JsonProcessingException e) {
    String what =
        String.valueOf(e.getOriginalMessage())
            .replaceAll(",? \\(?from `StreamReadConstraints[^)]*\\(\\)`\\)?", ")")
            .replaceAll(" \\(start marker at \\[Source:[^\\]]*\\]\\)", "");
    return e.getLocation() == null
        ? what
        : "%s (line %d, column %d)"
            .formatted(what, e.getLocation().getLineNr(), e.getLocation().getColumnNr());
  }
}
