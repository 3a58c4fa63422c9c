package dev.semantic.mlx.models;

import dev.semantic.mlx.files.OnceDirectory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A hub's model as its headers describe it, in files that have no weights in them: it can be opened
 * and judged, but not computed with. Closing deletes them.
 *
 * @param path a directory in MLX's layout, or one with a GGUF file in it
 * @param fetchBytes what a fetch of the whole would bring
 */
public record RemoteModelHeaders(Path path, long fetchBytes) implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(RemoteModelHeaders.class);

  /** Followed by the process' id, by which others know whether somebody still looks at it. */
  private static final String PREFIX = "outline-";

  /** An empty directory for one; what killed processes have left there goes. */
  static Path place(Path parent) throws IOException {
    List<Path> all;
    try (Stream<Path> entries = Files.list(parent)) {
      all = entries.filter(RemoteModelHeaders::isAbandoned).toList();
    }
    for (Path abandoned : all) {
      OnceDirectory.delete(abandoned);
    }
    return Files.createTempDirectory(parent, PREFIX + ProcessHandle.current().pid() + "-");
  }

  private static boolean isAbandoned(Path directory) {
    Matcher name =
        Pattern.compile(PREFIX + "(\\d{1,10})-.*").matcher(directory.getFileName().toString());
    return name.matches() && ProcessHandle.of(Long.parseLong(name.group(1))).isEmpty();
  }

  @Override
  public void close() {
    try {
      OnceDirectory.delete(path);
    } catch (IOException e) {
      LOG.warn("{} is left behind and can be deleted: {}", path, e.getMessage());
    }
  }
}
