package dev.semantic.build;

import java.io.IOException;
import java.util.List;

/** Programs that the build needs are not on this machine; the message has a line for each. */
final class MissingPrerequisites extends IOException {
  private static final long serialVersionUID = 1L;

  MissingPrerequisites(List<String> lines) {
    super(
        "Building MLX's natives needs programs that are missing:\n  " + String.join("\n  ", lines));
  }
}
