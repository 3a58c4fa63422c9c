package dev.semantic.mlx.checkpoint;

import dev.semantic.mlx.files.ModelDirectory;
import dev.semantic.model.ModelException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The safetensors files of a directory, one or many, as one. */
final class Shards implements AutoCloseable {
  private static final String SINGLE = "model.safetensors";
  private static final String INDEX = "model.safetensors.index.json";
  private static final Pattern NUMBERED =
      Pattern.compile("model-(\\d{1,6})-of-(\\d{1,6})\\.safetensors");

  /** A tensor, and the file that it lies in. */
  record Placed(MappedFile file, SafetensorsHeader.Entry entry) {}

  private final List<MappedFile> files = new ArrayList<>();
  private final Map<String, Placed> tensors = new LinkedHashMap<>();

  private Shards() {}

  static Shards open(ModelDirectory directory) {
    Shards shards = new Shards();
    try {
      shards.read(directory);
      return shards;
    } catch (RuntimeException | Error e) {
      shards.close();
      throw e;
    }
  }

  private void read(ModelDirectory directory) {
    Map<String, String> index = index(directory);
    List<String> names =
        index.isEmpty() ? unindexed(directory) : List.copyOf(new TreeSet<>(index.values()));
    for (String name : names) {
      MappedFile file = MappedFile.open(directory.file(name));
      files.add(file);
      for (SafetensorsHeader.Entry entry : SafetensorsHeader.read(file).tensors().values()) {
        Placed other = tensors.put(entry.name(), new Placed(file, entry));
        if (other != null) {
          throw new ModelException(
              ModelException.Kind.DAMAGED,
              "tensor %s lies in %s and in %s; is a shard there twice?"
                  .formatted(entry.name(), other.file().path().getFileName(), name));
        }
      }
    }
    index.forEach(this::requireIndexed);
  }

  private void requireIndexed(String tensor, String name) {
    Placed placed = tensors.get(tensor);
    if (placed == null || !placed.file().path().endsWith(name)) {
      throw new ModelException(
          ModelException.Kind.DAMAGED,
          "%s says that tensor %s lies in %s, and it does not. Are they of the same model?"
              .formatted(INDEX, tensor, name));
    }
  }

  private static Map<String, String> index(ModelDirectory directory) {
    if (directory.optional(INDEX).isEmpty()) {
      return Map.of();
    }
    Map<String, String> index = new LinkedHashMap<>();
    if (!(directory.json(INDEX).get("weight_map") instanceof Map<?, ?> given) || given.isEmpty()) {
      throw new ModelException(ModelException.Kind.DAMAGED, INDEX + " has no weight_map");
    }
    for (Map.Entry<?, ?> entry : given.entrySet()) {
      if (!(entry.getValue() instanceof String file)) {
        throw new ModelException(
            ModelException.Kind.DAMAGED,
            "%s says that tensor %s lies in %s, which is no file's name"
                .formatted(INDEX, entry.getKey(), entry.getValue()));
      }
      index.put(String.valueOf(entry.getKey()), file);
    }
    return index;
  }

  private static List<String> unindexed(ModelDirectory directory) {
    if (directory.optional(SINGLE).isPresent()) {
      return List.of(SINGLE);
    }
    List<String> names = directory.names("model", ".safetensors");
    if (names.isEmpty()) {
      throw new ModelException(
          ModelException.Kind.NOT_FOUND,
          "%s has neither %s nor %s. Fetch the weights too."
              .formatted(directory.path(), SINGLE, INDEX));
    }
    TreeSet<Integer> there = new TreeSet<>();
    int all = 0;
    for (String name : names) {
      Matcher numbered = NUMBERED.matcher(name);
      if (numbered.matches()) {
        there.add(Integer.valueOf(numbered.group(1)));
        all = Math.max(all, Integer.parseInt(numbered.group(2)));
      }
    }
    for (int i = 1; i <= all; i++) {
      if (!there.contains(i)) {
        throw new ModelException(
            ModelException.Kind.NOT_FOUND,
            "%s lacks shard %d of %d. Fetch it again.".formatted(directory.path(), i, all));
      }
    }
    return names;
  }

  List<MappedFile> files() {
    return files;
  }

  Map<String, Placed> tensors() {
    return tensors;
  }

  @Nullable Placed find(String name) {
    return tensors.get(name);
  }

  long bytes() {
    return files.stream().mapToLong(MappedFile::size).sum();
  }

  @Override
  public void close() {
    files.forEach(MappedFile::close);
  }
}
