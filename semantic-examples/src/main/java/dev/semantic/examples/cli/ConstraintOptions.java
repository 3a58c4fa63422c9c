package dev.semantic.examples.cli;

import dev.semantic.generate.Constraint;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What an answer must look like; one of them. */
final class ConstraintOptions {
  @Option(
      names = "--json-schema",
      paramLabel = "FILE.json",
      description = "The answer is JSON that this schema describes.")
  private @Nullable Path schema;

  @Option(
      names = "--regex",
      paramLabel = "PATTERN",
      description = "The answer is text that this regular expression matches as a whole.")
  private @Nullable String regex;

  @Option(
      names = "--grammar",
      paramLabel = "FILE.lark",
      description = "The answer is text of this grammar, from its rule start on.")
  private @Nullable Path grammar;

  /**
   * Read and checked, before a model is loaded for nothing.
   *
   * @throws IllegalArgumentException if it makes no sense
   */
  Constraint read() throws IOException {
    if (schema != null) {
      return of(schema, Constraint.JsonSchema::new);
    }
    return grammar == null
        ? new Constraint.Regex(regex == null ? "" : regex)
        : of(grammar, Constraint.Lark::new);
  }

  private static Constraint of(Path file, Function<String, Constraint> reading) throws IOException {
    String text = text(file);
    try {
      return reading.apply(text);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(file + ": " + e.getMessage(), e);
    }
  }

  /** No more of it than a constraint may have, and enough to say that it is too long. */
  private static String text(Path file) throws IOException {
    if (Files.isDirectory(file)) {
      throw new IOException(file + " is a directory, not a file");
    }
    try (InputStream in = Files.newInputStream(file)) {
      byte[] bytes = in.readNBytes(Constraint.MAX_BYTES + 1);
      if (bytes.length > Constraint.MAX_BYTES) {
        throw new IOException(
            "%s has more than the %d bytes that a constraint may have"
                .formatted(file, Constraint.MAX_BYTES));
      }
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw new IOException(file + " is not UTF-8", e);
    }
  }
}
