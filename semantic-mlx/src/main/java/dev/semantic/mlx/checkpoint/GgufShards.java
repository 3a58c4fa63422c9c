package dev.semantic.mlx.checkpoint;

import dev.semantic.mlx.files.SplitName;
import dev.semantic.model.ModelException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A GGUF file, or all parts of one that was split, as one. What the model is the first part says;
 * each has tensors of its own (format: llama.cpp's gguf-split).
 */
final class GgufShards implements AutoCloseable {
  private static final String COUNT = "split.count";
  private static final String NUMBER = "split.no";
  private static final String TENSORS = "split.tensors.count";

  private final List<MappedFile> files = new ArrayList<>();
  private final Map<String, MappedFile> places = new HashMap<>();
  private final Map<String, TensorInfo> tensors = new LinkedHashMap<>();
  private Map<String, Object> metadata = Map.of();

  private GgufShards() {}

  static GgufShards open(Path path) {
    GgufShards shards = new GgufShards();
    try {
      shards.read(path);
      return shards;
    } catch (RuntimeException | Error e) {
      shards.close();
      throw e;
    }
  }

  private void read(Path path) {
    metadata = add(path).metadata();
    if (number(metadata, COUNT, 1) == 1) {
      return;
    }
    SplitName name = nameOf(path);
    requirePart(path, metadata, name);
    if (!name.isFirst()) {
      throw new ModelException(
          ModelException.Kind.INVALID,
          "%s is part %d of %d of a model that was split; name its first part, %s"
              .formatted(path, name.part(), name.parts(), name.of(1)));
    }
    for (int part = 2; part <= name.parts(); part++) {
      Path next = path.resolveSibling(name.of(part));
      if (!Files.exists(next)) {
        throw new ModelException(
            ModelException.Kind.NOT_FOUND,
            "%s is part 1 of %d of a model that was split, and %s is not beside it. Fetch it too."
                .formatted(path, name.parts(), name.of(part)));
      }
      requirePart(next, add(next).metadata(), nameOf(next));
    }
    if (number(metadata, TENSORS, tensors.size()) != tensors.size()) {
      throw new ModelException(
          ModelException.Kind.DAMAGED,
          "%s and its other parts have %d tensors, and should have %s. Fetch them again."
              .formatted(path, tensors.size(), metadata.get(TENSORS)));
    }
  }

  private GgufHeader add(Path path) {
    MappedFile file = MappedFile.open(path);
    files.add(file);
    GgufHeader header = file.guarded(() -> GgufHeader.read(path, file.memory()));
    header
        .tensors()
        .forEach(
            (name, tensor) -> {
              if (tensors.put(name, tensor) != null) {
                throw new ModelException(
                    ModelException.Kind.DAMAGED,
                    "tensor %s lies in %s and in another part; are they of the same model?"
                        .formatted(name, path));
              }
              places.put(name, file);
            });
    return header;
  }

  private static SplitName nameOf(Path path) {
    return SplitName.of(path)
        .orElseThrow(
            () ->
                new ModelException(
                    ModelException.Kind.INVALID,
                    "%s is one part of a model that was split. Name it as it came, NAME-00001-of-00002.gguf, with the others beside it, or join them: llama-gguf-split --merge FIRST WHOLE"
                        .formatted(path)));
  }

  private static void requirePart(Path path, Map<String, Object> metadata, SplitName name) {
    if (number(metadata, NUMBER, -1) != name.part() - 1
        || number(metadata, COUNT, -1) != name.parts()) {
      throw new ModelException(
          ModelException.Kind.DAMAGED,
          "%s says of itself that it is part %s, from 0, of %s; is it another model's?"
              .formatted(path, metadata.get(NUMBER), metadata.get(COUNT)));
    }
  }

  private static long number(Map<String, Object> metadata, String key, long otherwise) {
    return metadata.getOrDefault(key, otherwise) instanceof Long number ? number : -1;
  }

  /** That of the first part. */
  Map<String, Object> metadata() {
    return metadata;
  }

  /** By their names, wherever they lie. */
  Map<String, TensorInfo> tensors() {
    return tensors;
  }

  /** The file that a tensor lies in. */
  MappedFile file(TensorInfo tensor) {
    MappedFile file = places.get(tensor.name());
    if (file == null) {
      throw new IllegalArgumentException("No part has a tensor " + tensor.name());
    }
    return file;
  }

  /** In the order of their numbers. */
  List<MappedFile> files() {
    return files;
  }

  /** The first. */
  Path path() {
    return files.getFirst().path();
  }

  long bytes() {
    return files.stream().mapToLong(MappedFile::size).sum();
  }

  @Override
  public void close() {
    files.forEach(MappedFile::close);
  }
}
