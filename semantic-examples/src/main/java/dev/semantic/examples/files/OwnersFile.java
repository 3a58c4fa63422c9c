package dev.semantic.examples.files;

import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;

/** A small JSON file that only its owner may read, replaced whole or not at all. */
public final class OwnersFile {
  private static final JsonMapper JSON = new JsonMapper();

  private OwnersFile() {}

  /** Writes beside the file and renames; one writer at a time. */
  public static void replace(Path file, Object content) throws IOException {
    Path beside = file.resolveSibling(file.getFileName() + ".new");
    Files.deleteIfExists(beside);
    if (file.getFileSystem().supportedFileAttributeViews().contains("posix")) {
      Files.createFile(
          beside,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    }
    JSON.writeValue(beside.toFile(), content);
    Files.move(beside, file, StandardCopyOption.ATOMIC_MOVE);
  }
}
