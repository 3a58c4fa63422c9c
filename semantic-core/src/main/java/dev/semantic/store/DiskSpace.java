package dev.semantic.store;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** How much of the disk that a directory lies on is free. */
@FunctionalInterface
interface DiskSpace {
  /** The file system's own count. */
  DiskSpace OF_FILE_SYSTEM = directory -> Files.getFileStore(directory).getUsableSpace();

  long free(Path directory) throws IOException;
}
