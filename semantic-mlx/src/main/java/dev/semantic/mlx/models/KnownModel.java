package dev.semantic.mlx.models;

import java.nio.file.Path;
import java.util.regex.Pattern;

/**
 * A model that can be asked for by a name of its own: what its file must be, and where that comes
 * from. {@link ModelCatalog#withModels} makes it known.
 *
 * @param name by which it is asked for
 * @param fileName of the file among our own models
 * @param sizeBytes of the file
 * @param sha256 of the file, lower-case hexadecimal
 * @param architecture what the file calls itself: {@code llama}
 * @param leastMemoryBytes what it takes of memory on a CPU in the form of the fewest bytes, before
 *     anybody has said anything; known before the file is here, whose headers say the same
 * @param license its short name
 * @param origin where it comes from
 */
public record KnownModel(
    String name,
    String fileName,
    long sizeBytes,
    String sha256,
    String architecture,
    long leastMemoryBytes,
    String license,
    ModelOrigin origin) {
  private static final Pattern SHA256 = Pattern.compile("[0-9a-f]{64}");

  public KnownModel {
    Path file = Path.of(fileName);
    if (name.isBlank() || fileName.isBlank() || !file.equals(file.getFileName())) {
      throw new IllegalArgumentException(
          "A known model has a name and a file's plain name, not '%s' and '%s'"
              .formatted(name, fileName));
    }
    if (!SHA256.matcher(sha256).matches()) {
      throw new IllegalArgumentException(
          "The SHA-256 of %s is 64 hexadecimal digits in lower case, not '%s'"
              .formatted(name, sha256));
    }
  }
}
