package dev.semantic.mlx.convert;

import dev.semantic.mlx.files.ModelDirectory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/** The files beside a directory's weights, as they are. */
final class CopiedFiles implements AuxiliaryFiles {
  private static final String MORE_TEMPLATES = "additional_chat_templates";

  /** As mlx-lm fetches them, the card and the licence; no code. */
  private static final Pattern WORTH_KEEPING =
      Pattern.compile(
          "(?i)[^.].*\\.(json|jsonl|jinja|txt|tiktoken)|tokenizer\\.model|README\\.md"
              + "|(licen[cs]e|notice|use_policy)(\\..*)?");

  /** Said anew. */
  private static final Pattern OURS = Pattern.compile("config\\.json|.*\\.index\\.json");

  private final ModelDirectory directory;
  private final List<String> names;

  CopiedFiles(ModelDirectory directory) {
    this.directory = directory;
    this.names =
        directory.names("", "").stream()
            .filter(name -> WORTH_KEEPING.matcher(name).matches())
            .filter(name -> !OURS.matcher(name).matches())
            .filter(name -> directory.optional(name).filter(Files::isRegularFile).isPresent())
            .toList();
  }

  @Override
  public long bytes() {
    return names.stream().mapToLong(name -> directory.file(name).toFile().length()).sum();
  }

  @Override
  public void writeTo(TargetDirectory place) throws IOException {
    for (String name : names) {
      copy(directory.file(name), name, place);
    }
    Path more = directory.path().resolve(MORE_TEMPLATES);
    if (Files.isDirectory(more)) {
      ModelDirectory templates = ModelDirectory.of(more);
      for (String name : templates.names("", ".jinja")) {
        copy(templates.file(name), MORE_TEMPLATES + "/" + name, place);
      }
    }
  }

  private static void copy(Path file, String name, TargetDirectory place) throws IOException {
    place.write(name, out -> Files.copy(file, out));
  }

  /** It says so already. */
  @Override
  public Map<String, Object> tokens() {
    return Map.of();
  }
}
