package dev.semantic.mlx.tokenizer;

import dev.semantic.mlx.files.ModelDirectory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;

/**
 * A JVM of its own that makes a tokenizer. Says the tokens of a text, and on Linux where the
 * library that cut it was loaded from.
 */
final class TokenizerProgram {
  static final String TEXT = "Hello there";

  private TokenizerProgram() {}

  public static void main(String[] args) throws IOException {
    try (ChatTokenizer text = Tokenizers.open(ModelDirectory.of(Path.of(args[0]))).get()) {
      System.out.println("tokens " + Arrays.toString(text.encode(TEXT, false)));
    }
    try (Stream<String> lines = Files.lines(Path.of("/proc/self/maps"))) {
      lines
          .filter(line -> line.contains("libtokenizers"))
          .map(line -> line.substring(line.indexOf('/')))
          .distinct()
          .forEach(path -> System.out.println("loaded " + path));
    }
  }
}
