package dev.semantic.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.Test;

/**
 * Whoever brings native code unpacks it somewhere, most into the temporary directory, and loads
 * what lies there. Ours and the tokenizer library's we unpack and verify ourselves; there is none
 * besides.
 */
class NativeCodeTest {
  private static final Pattern LIBRARY = Pattern.compile(".*\\.(so(\\.\\d+)*|dylib|jnilib|dll)");

  @Test
  void nobodyElseBringsNativeCode() throws IOException {
    TreeSet<String> bringers = new TreeSet<>();
    for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
      Path jar = Path.of(entry);
      if (Files.isRegularFile(jar)) {
        try (ZipFile zip = new ZipFile(jar.toFile())) {
          if (zip.stream().anyMatch(each -> LIBRARY.matcher(each.getName()).matches())) {
            bringers.add(jar.getFileName().toString().replaceAll("-\\d.*", ""));
          }
        }
      }
    }
    assertTrue(bringers.remove("tokenizers"), "the tokenizer library's was not found");
    bringers.remove("semantic-mlx");
    assertEquals(List.of(), List.copyOf(bringers));
  }
}
