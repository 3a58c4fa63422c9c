package dev.semantic.mlx.files;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * The name of one part of a GGUF file that was split, as llama.cpp writes it: {@code
 * NAME-00001-of-00003.gguf}.
 *
 * @param model the name that all parts begin with
 * @param part which one it is, from 1
 * @param parts how many there are
 */
public record SplitName(String model, int part, int parts) {
  private static final Pattern NAME = Pattern.compile("(.+)-(\\d{5})-of-(\\d{5})\\.gguf");

  /** What a file's name says; empty if it is none of a part. */
  public static Optional<SplitName> of(String fileName) {
    Matcher name = NAME.matcher(fileName);
    if (!name.matches()) {
      return Optional.empty();
    }
    int part = Integer.parseInt(name.group(2));
    int parts = Integer.parseInt(name.group(3));
    return part >= 1 && part <= parts
        ? Optional.of(new SplitName(name.group(1), part, parts))
        : Optional.empty();
  }

  /** The same of a file. */
  public static Optional<SplitName> of(Path file) {
    return of(String.valueOf(file.getFileName()));
  }

  /** Whether it is the part that stands for the whole. */
  public boolean isFirst() {
    return part == 1;
  }

  /** The file name of another part of the same model. */
  public String of(int other) {
    return "%s-%05d-of-%05d.gguf".formatted(model, other, parts);
  }

  /** The file names of all parts, in order. */
  public List<String> all() {
    return IntStream.rangeClosed(1, parts).mapToObj(this::of).toList();
  }
}
