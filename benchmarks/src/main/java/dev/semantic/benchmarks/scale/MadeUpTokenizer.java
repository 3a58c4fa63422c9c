package dev.semantic.benchmarks.scale;

import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * A byte-level tokenizer as large as a real one, because to read that is a part of a swap. Its
 * tokens are what random merges make of bytes; it reads any text and means nothing.
 */
final class MadeUpTokenizer {
  private static final int LONGEST = 14;

  private MadeUpTokenizer() {}

  /** Writes {@code tokenizer.json}. */
  static void write(Path file, int size, List<String> special) throws IOException {
    Map<String, Integer> ids = new HashMap<>();
    List<String> tokens = new ArrayList<>();
    for (String each : special) {
      ids.put(each, tokens.size());
      tokens.add(each);
    }
    int first = tokens.size();
    for (int b = 0; b < 256; b++) {
      String letter = letter(b);
      ids.put(letter, tokens.size());
      tokens.add(letter);
    }
    List<String> merges = merges(ids, tokens, first, size);
    try (BufferedWriter out = Files.newBufferedWriter(file, StandardCharsets.UTF_8)) {
      out.write("{\"version\":\"1.0\",\"truncation\":null,\"padding\":null,\"added_tokens\":[");
      for (int id = 0; id < first; id++) {
        out.write(
            (id == 0 ? "" : ",")
                + "{\"id\":%d,\"content\":%s,\"special\":true,\"single_word\":false,\"lstrip\":false,\"rstrip\":false,\"normalized\":false}"
                    .formatted(id, quoted(tokens.get(id))));
      }
      out.write(
          "],\"normalizer\":null,\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":false,\"use_regex\":true},");
      out.write(
          "\"post_processor\":null,\"decoder\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":false,\"use_regex\":true},");
      out.write(
          "\"model\":{\"type\":\"BPE\",\"dropout\":null,\"unk_token\":null,\"continuing_subword_prefix\":\"\",\"end_of_word_suffix\":\"\",\"fuse_unk\":false,\"byte_fallback\":false,\"vocab\":{");
      for (int id = 0; id < tokens.size(); id++) {
        out.write((id == 0 ? "" : ",") + quoted(tokens.get(id)) + ":" + id);
      }
      out.write("},\"merges\":[");
      for (int i = 0; i < merges.size(); i++) {
        out.write((i == 0 ? "" : ",") + quoted(merges.get(i)));
      }
      out.write("]}}");
    }
  }

  private static List<String> merges(
      Map<String, Integer> ids, List<String> tokens, int first, int size) {
    Random random = new Random(size);
    List<String> merges = new ArrayList<>();
    while (tokens.size() < size) {
      String left = tokens.get(first + random.nextInt(tokens.size() - first));
      String right = tokens.get(first + random.nextInt(tokens.size() - first));
      String both = left + right;
      if (both.length() <= LONGEST && ids.putIfAbsent(both, tokens.size()) == null) {
        tokens.add(both);
        merges.add(left + " " + right);
      }
    }
    return merges;
  }

  /** GPT-2's letters for bytes: printable ones stand for themselves. */
  private static String letter(int b) {
    boolean itself = (b >= '!' && b <= '~') || (b >= 0xa1 && b <= 0xac) || b >= 0xae;
    if (itself) {
      return String.valueOf((char) b);
    }
    int before = b <= ' ' ? b : b <= 0xa0 ? b - 0x7f + 33 : 67;
    return String.valueOf((char) (256 + before));
  }

  private static String quoted(String text) {
    return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
  }
}
