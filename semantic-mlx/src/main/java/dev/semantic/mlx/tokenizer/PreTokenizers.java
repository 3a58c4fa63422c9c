package dev.semantic.mlx.tokenizer;

import java.util.Map;
import java.util.TreeSet;

/** How byte-level tokenizers cut text first, by llama.cpp's names for it. */
final class PreTokenizers {
  /**
   * One way of cutting.
   *
   * @param json as {@code tokenizer.json} writes it
   * @param wholeFirst a piece that is a token is that token, whether merges lead to it or not
   * @param beginsWithBos where the file does not say whether text begins with that token
   */
  record Cut(String json, boolean wholeFirst, boolean beginsWithBos) {
    private static Cut of(String json) {
      return new Cut(json, false, false);
    }

    private Cut likeLlama3() {
      return new Cut(json, true, true);
    }
  }

  private static final String BYTES =
      """
      {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true}\
      """;

  /** Single digits, then GPT-2's words. */
  private static final String DIGITS_AND_BYTES =
      """
      {"type": "Sequence", "pretokenizers": [
        {"type": "Digits", "individual_digits": true},\
      """
          + BYTES
          + "]}";

  private static final String ENDINGS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
  private static final String REST = "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
  private static final String SIGNS = "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*" + REST;
  private static final String SIGNS_AND_SLASHES = "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*" + REST;
  private static final String WORDS = ENDINGS + "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+";

  /** A word ends where a capital letter follows a small one. */
  private static final String CAPITALISED =
      "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+";

  private static final String CAPITALS =
      "|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*";

  private static final Cut QWEN2 = split(WORDS + "|\\p{N}" + SIGNS);
  private static final Cut CL100K = split(WORDS + "|\\p{N}{1,3}" + SIGNS);
  private static final Cut TEKKEN = split(CAPITALISED + CAPITALS + "|\\p{N}" + SIGNS_AND_SLASHES);
  private static final Cut O200K =
      split(CAPITALISED + ENDINGS + "?" + CAPITALS + ENDINGS + "?|\\p{N}{1,3}" + SIGNS_AND_SLASHES);

  private static final Map<String, Cut> KNOWN =
      Map.of(
          "smollm", Cut.of(DIGITS_AND_BYTES),
          "default", Cut.of(BYTES),
          "gpt-2", Cut.of(BYTES),
          "qwen2", QWEN2,
          "deepseek-r1-qwen", QWEN2,
          "llama-bpe", CL100K.likeLlama3(),
          "llama3", CL100K.likeLlama3(),
          "dbrx", CL100K,
          "gpt-4o", O200K,
          "tekken", TEKKEN.likeLlama3());

  private PreTokenizers() {}

  private static Cut split(String regex) {
    return Cut.of(
        """
        {"type": "Sequence", "pretokenizers": [
          {"type": "Split", "pattern": {"Regex": "%s"}, "behavior": "Isolated", "invert": false},
          {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false}]}\
        """
            .formatted(regex.replace("\\", "\\\\")));
  }

  /** Whether text begins with the token for that, where the file does not say. */
  static boolean beginsWithBos(String name) {
    Cut cut = KNOWN.get(name);
    return cut != null && cut.beginsWithBos();
  }

  static Cut of(GgufVocabulary vocabulary) {
    Cut cut = KNOWN.get(vocabulary.pre());
    if (cut == null) {
      throw vocabulary.broken(
          "its pre-tokenizer is '%s'; known are %s"
              .formatted(vocabulary.pre(), String.join(", ", new TreeSet<>(KNOWN.keySet()))));
    }
    return cut;
  }
}
