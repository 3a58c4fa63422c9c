package dev.semantic.mlx.models;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/**
 * The first texts of a GGUF file's metadata, for a list of models: what it is and under which
 * licence. Reads until the first list of values, which is the vocabulary; checks nothing.
 */
final class GgufHead {
  private static final int MAGIC = 0x46554747;
  private static final byte[] MAGIC_TEXT = {'G', 'G', 'U', 'F'};
  private static final int STRING = 8;
  private static final int ARRAY = 9;
  private static final int MOST_ENTRIES = 200;
  private static final int LONGEST = 1 << 20;
  private static final int[] WIDTH = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

  private GgufHead() {}

  /** Whether a file begins as one does. */
  static boolean isOne(Path file) throws IOException {
    try (InputStream bytes = Files.newInputStream(file)) {
      byte[] begin = bytes.readNBytes(MAGIC_TEXT.length);
      return Arrays.equals(begin, MAGIC_TEXT);
    }
  }

  /** Texts by their names; what cannot be read is left out. */
  static Map<String, String> of(Path file) {
    Map<String, String> texts = new HashMap<>();
    try (InputStream bytes = Files.newInputStream(file);
        DataInputStream in = new DataInputStream(new BufferedInputStream(bytes))) {
      if (Integer.reverseBytes(in.readInt()) != MAGIC) {
        return Map.of();
      }
      in.skipNBytes(Integer.BYTES + Long.BYTES); // version, number of tensors
      long entries = Math.min(MOST_ENTRIES, number(in));
      for (long i = 0; i < entries; i++) {
        String name = text(in);
        int type = Integer.reverseBytes(in.readInt());
        if (type == STRING) {
          texts.put(name, text(in));
        } else if (type == ARRAY || type < 0 || type >= WIDTH.length) {
          return texts;
        } else {
          in.skipNBytes(WIDTH[type]);
        }
      }
    } catch (IOException e) {
      return texts; // whoever loads it is told; a list goes on
    }
    return texts;
  }

  private static long number(DataInputStream in) throws IOException {
    return Long.reverseBytes(in.readLong());
  }

  private static String text(DataInputStream in) throws IOException {
    long length = number(in);
    if (length < 0 || length > LONGEST) {
      throw new IOException("a text of " + length + " bytes");
    }
    return new String(in.readNBytes((int) length), StandardCharsets.UTF_8);
  }
}
