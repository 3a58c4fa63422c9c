package dev.semantic.mlx.models;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.semantic.mlx.files.JsonText;
import dev.semantic.mlx.files.ModelDirectory;
import dev.semantic.mlx.files.SplitName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A model's files as far as a list needs to know them; reads no weights.
 *
 * @param missing what a model in MLX's layout would need besides, in words
 */
record ModelFiles(
    long sizeBytes, Optional<String> architecture, Optional<String> license, List<String> missing) {
  static final String GGUF = ".gguf";
  private static final String CONFIG = "config.json";
  private static final String INDEX = "model.safetensors.index.json";
  private static final String WEIGHTS = ".safetensors";
  private static final long LARGEST_JSON = 32L << 20;
  private static final Pattern LICENSE =
      Pattern.compile("(?m)^license:\\s*[\"']?([\\w.+-]{1,60})[\"']?\\s*$");

  ModelFiles {
    missing = List.copyOf(missing);
  }

  /** Looks at a GGUF file, or at a directory in MLX's layout. */
  static ModelFiles of(Path model) throws IOException {
    return Files.isDirectory(model) ? layout(model) : gguf(model);
  }

  /** Whether a directory has what makes it a model's, if not all of it; GGUF files need it not. */
  static boolean isLayout(Path directory) throws IOException {
    if (!Files.exists(directory.resolve(CONFIG))) {
      return false;
    }
    try (Stream<Path> files = Files.list(directory)) {
      return files.anyMatch(file -> isOurs(file) && file.toString().contains(WEIGHTS))
          || ggufs(directory).isEmpty();
    }
  }

  private static boolean isOurs(Path file) {
    return !ModelDirectory.isLitter(file);
  }

  /**
   * The GGUF files of a directory that are models by themselves; of one that was split, the first
   * part that is there.
   */
  static List<Path> ggufs(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      Set<String> split = new HashSet<>();
      return files
          .filter(file -> file.toString().endsWith(GGUF) && Files.isRegularFile(file))
          .filter(file -> isOurs(file) && !file.getFileName().toString().startsWith("mmproj"))
          .sorted()
          .filter(file -> SplitName.of(file).map(part -> split.add(part.of(1))).orElse(true))
          .toList();
    }
  }

  /** What a model of this file is called. */
  static String name(Path gguf) {
    String file = String.valueOf(gguf.getFileName());
    return SplitName.of(gguf)
        .map(SplitName::model)
        .orElseGet(() -> file.substring(0, file.length() - GGUF.length()));
  }

  /** The file itself, or all parts of it that are there. */
  static List<Path> parts(Path model) {
    return SplitName.of(model).stream()
        .flatMap(name -> name.all().stream())
        .map(model::resolveSibling)
        .filter(Files::isRegularFile)
        .collect(
            Collectors.collectingAndThen(
                Collectors.toList(), found -> found.isEmpty() ? List.of(model) : found));
  }

  private static ModelFiles gguf(Path file) throws IOException {
    if (!GgufHead.isOne(file)) {
      String what = "a GGUF file's beginning in " + file.getFileName();
      return new ModelFiles(Files.size(file), Optional.empty(), Optional.empty(), List.of(what));
    }
    List<Path> parts = parts(file);
    long bytes = 0;
    for (Path part : parts) {
      bytes += Files.size(part);
    }
    List<String> missing =
        SplitName.of(file).stream()
            .flatMap(name -> name.all().stream())
            .filter(name -> !parts.contains(file.resolveSibling(name)))
            .toList();
    Map<String, String> head = GgufHead.of(file);
    Optional<String> license =
        Optional.ofNullable(head.get("general.license"))
            .or(() -> card(file.toAbsolutePath().resolveSibling("README.md")));
    return new ModelFiles(
        bytes, Optional.ofNullable(head.get("general.architecture")), license, missing);
  }

  private static ModelFiles layout(Path directory) throws IOException {
    List<String> missing = new ArrayList<>();
    JsonNode config = json(directory.resolve(CONFIG), missing);
    JsonNode type = config.path("model_type");
    if (!Files.isRegularFile(directory.resolve("tokenizer.json"))) {
      missing.add("tokenizer.json");
    }
    long bytes = 0;
    int weights = 0;
    try (Stream<Path> files = Files.list(directory)) {
      for (Path file : files.filter(ModelFiles::isOfLayout).toList()) {
        bytes += Files.size(file);
        weights += file.toString().endsWith(WEIGHTS) ? 1 : 0;
      }
    }
    Path index = directory.resolve(INDEX);
    if (Files.exists(index)) {
      TreeSet<String> shards = new TreeSet<>();
      json(index, missing).path("weight_map").forEach(shard -> shards.add(shard.asText()));
      shards.stream().filter(shard -> !isBeside(directory, shard)).forEach(missing::add);
    } else if (weights == 0) {
      missing.add("model.safetensors");
    }
    return new ModelFiles(
        bytes,
        type.isTextual() ? Optional.of(type.asText()) : Optional.empty(),
        card(directory.resolve("README.md")),
        missing);
  }

  private static boolean isOfLayout(Path file) {
    return Files.isRegularFile(file) && isOurs(file) && !file.toString().endsWith(GGUF);
  }

  private static boolean isBeside(Path directory, String name) {
    try {
      Path file = directory.resolve(name);
      return directory.equals(file.getParent()) && Files.isRegularFile(file);
    } catch (InvalidPathException e) {
      return false; // no name of a file
    }
  }

  private static JsonNode json(Path file, List<String> missing) {
    ObjectMapper mapper = new ObjectMapper(JsonText.WHOLE);
    try {
      if (Files.isRegularFile(file) && Files.size(file) <= LARGEST_JSON) {
        return mapper.readTree(Files.readAllBytes(file));
      }
      missing.add(String.valueOf(file.getFileName()));
    } catch (IOException e) {
      missing.add(file.getFileName() + " (unreadable)");
    }
    return mapper.createObjectNode();
  }

  /** What the model card says between its first two rules. */
  private static Optional<String> card(Path readme) {
    try {
      if (!Files.isRegularFile(readme) || Files.size(readme) > LARGEST_JSON) {
        return Optional.empty();
      }
      String text = Files.readString(readme);
      int end = text.startsWith("---") ? text.indexOf("\n---", 3) : -1;
      Matcher license = LICENSE.matcher(end < 0 ? "" : text.substring(0, end));
      return license.find() ? Optional.of(license.group(1)) : Optional.empty();
    } catch (IOException e) {
      return Optional.empty(); // not UTF-8, or not ours to read
    }
  }
}
