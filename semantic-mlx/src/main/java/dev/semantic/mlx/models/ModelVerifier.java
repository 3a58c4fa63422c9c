package dev.semantic.mlx.models;

import dev.semantic.io.Reason;
import dev.semantic.mlx.files.ModelDirectory;
import dev.semantic.mlx.files.Sha256;
import dev.semantic.mlx.models.hub.BlobCheck;
import dev.semantic.model.ModelException;
import dev.semantic.model.ModelId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Reads a model's files once more and compares them with their checksums. Changes nothing. */
public final class ModelVerifier {
  private final ModelCatalog catalog;

  public ModelVerifier(ModelCatalog catalog) {
    this.catalog = catalog;
  }

  /**
   * A file that was read.
   *
   * @param file its path
   * @param expected the checksum it was fetched by; empty where none is known
   * @param found the checksum it has, of the same kind; empty where it was not read
   */
  public record Checked(Path file, Optional<String> expected, Optional<String> found) {
    /** Whether it is known to be damaged. */
    public boolean damaged() {
      return expected.isPresent() && !expected.equals(found);
    }
  }

  /**
   * Verifies a model that is here.
   *
   * @param progress hears how many bytes have been read
   * @return every file of it
   * @throws ModelException if it is not here or not whole
   */
  public List<Checked> verify(ModelId id, FetchProgress progress) {
    Optional<KnownModel> known = catalog.find(id.name());
    try {
      if (known.isPresent()) {
        return List.of(known(known.get()));
      }
      return files(catalog.resolve(id), progress);
    } catch (IOException e) {
      throw new ModelException(
          ModelException.Kind.FAILED, "Cannot read %s: %s".formatted(id, Reason.of(e)), e);
    }
  }

  private Checked known(KnownModel model) throws IOException {
    Path file = catalog.path(model);
    if (!Files.isRegularFile(file)) {
      throw new ModelException(
          ModelException.Kind.NOT_FOUND, "%s is not here: %s".formatted(model.name(), file));
    }
    return new Checked(file, Optional.of(model.sha256()), Optional.of(Sha256.of(file)));
  }

  private List<Checked> files(Path model, FetchProgress progress) throws IOException {
    List<Path> files = ModelFiles.parts(model);
    if (Files.isDirectory(model)) {
      try (Stream<Path> entries = Files.list(model)) {
        files =
            entries
                .filter(Files::isRegularFile)
                .filter(file -> !ModelDirectory.isLitter(file))
                .sorted()
                .toList();
      }
    }
    long total = 1;
    for (Path file : files) {
      total += Files.size(file);
    }
    List<Checked> checked = new ArrayList<>();
    long done = 0;
    for (Path file : files) {
      checked.add(check(file));
      done += Files.size(file);
      progress.progress(done, total);
    }
    return checked;
  }

  /** The hub's cache names every content by its checksum; elsewhere nobody knows what was meant. */
  private Checked check(Path file) throws IOException {
    Optional<String> expected =
        catalog.hub().isPresent() && file.startsWith(catalog.hub().get().cache())
            ? BlobCheck.expected(file)
            : Optional.empty();
    Optional<String> found = Optional.empty();
    if (expected.isPresent()) {
      found = Optional.of(BlobCheck.found(file, expected.get()));
    }
    return new Checked(file, expected, found);
  }
}
