package dev.semantic.mlx.store;

import dev.semantic.mlx.files.OnceDirectory;
import java.io.IOException;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A hub's model as its headers describe it, in files that have no weights in them: it can be opened
 * and judged, but not computed with. Closing deletes them.
 *
 * @param path a directory in MLX's layout, or one with a GGUF file in it
 * @param fetchBytes what a fetch of the whole would bring
 */
public record ModelOutline(Path path, long fetchBytes) implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ModelOutline.class);

  @Override
  public void close() {
    try {
      OnceDirectory.delete(path);
    } catch (IOException e) {
      LOG.warn("{} is left behind and can be deleted: {}", path, e.getMessage());
    }
  }
}
