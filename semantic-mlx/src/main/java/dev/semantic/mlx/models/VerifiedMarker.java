package dev.semantic.mlx.models;

import dev.semantic.io.DurableFiles;
import dev.semantic.io.OwnPath;
import dev.semantic.mlx.files.ChangeTime;
import dev.semantic.mlx.files.Sha256;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A note beside a model's file that its checksum held when the file had this size and time, and
 * that nothing of the file was changed after the note. Saves reading hundreds of megabytes at each
 * start; whoever changes the file voids it, whatever times they restore.
 */
final class VerifiedMarker {
  private static final Logger LOG = LoggerFactory.getLogger(VerifiedMarker.class);

  private static final Pattern NOTE =
      Pattern.compile("sha256 \\p{XDigit}+\nsize (?<size>\\d+)\nchanged \\d+\nname (?<name>.+)\n");

  private VerifiedMarker() {}

  static boolean confirms(Path file, KnownModel model) throws IOException {
    Path stamp = path(file);
    return Files.isRegularFile(file)
        && Files.isRegularFile(stamp)
        && isOurs(stamp)
        && Files.size(file) == model.sizeBytes()
        && Files.readString(stamp).equals(text(file, model))
        && changed(file).compareTo(changed(stamp)) <= 0;
  }

  /** The name that a file was fetched by; empty if it was not, or has changed since. */
  static Optional<String> name(Path file) {
    Path stamp = path(file);
    try {
      if (!Files.isRegularFile(stamp) || !isOurs(stamp)) {
        return Optional.empty();
      }
      Matcher note = NOTE.matcher(Files.readString(stamp));
      return note.matches()
              && note.group("size").equals(Long.toString(Files.size(file)))
              && changed(file).compareTo(changed(stamp)) <= 0
          ? Optional.of(note.group("name"))
          : Optional.empty();
    } catch (IOException e) {
      LOG.debug("The note {} cannot be read", stamp, e);
      return Optional.empty();
    }
  }

  /** What others may have written is no word of ours. */
  private static boolean isOurs(Path stamp) {
    try {
      OwnPath.claim(stamp.resolveSibling(""), stamp);
      return true;
    } catch (IOException e) {
      LOG.debug("The note {} is not believed", stamp, e);
      return false;
    }
  }

  private static FileTime changed(Path file) throws IOException {
    Optional<FileTime> changed = ChangeTime.of(file);
    return changed.isPresent() ? changed.get() : Files.getLastModifiedTime(file);
  }

  static void write(Path file, KnownModel model) throws IOException {
    byte[] text = text(file, model).getBytes(StandardCharsets.UTF_8);
    DurableFiles.keep(path(file), text);
  }

  /** Reads a file whose note was voided, or that has none, once more; whether it is whole. */
  static boolean renew(Path file, KnownModel model) throws IOException {
    boolean whole =
        Files.isRegularFile(file)
            && Files.size(file) == model.sizeBytes()
            && Sha256.of(file).equals(model.sha256());
    if (whole) {
      try {
        write(file, model);
      } catch (IOException e) {
        LOG.debug("It is not kept that {} is whole", file, e); // read anew the next time
      }
    }
    return whole;
  }

  static Path path(Path file) {
    return file.resolveSibling(file.getFileName() + ".verified");
  }

  private static String text(Path file, KnownModel model) throws IOException {
    long changed = Files.getLastModifiedTime(file).toMillis();
    return "sha256 %s\nsize %d\nchanged %d\nname %s\n"
        .formatted(model.sha256(), model.sizeBytes(), changed, model.name());
  }
}
