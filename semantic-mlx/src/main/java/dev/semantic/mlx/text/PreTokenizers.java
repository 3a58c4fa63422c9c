package dev.semantic.mlx.text;

import java.util.Map;
import java.util.TreeSet;

/** How byte-level tokenizers cut text first, by llama.cpp's names for it. */
final class PreTokenizers {
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

  private static final Map<String, String> KNOWN =
      Map.of(
          "smollm", DIGITS_AND_BYTES,
          "default", BYTES,
          "gpt-2", BYTES,
          "qwen2",
              split(
                  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\\\r"
                      + "\\\\n"
                      + "\\\\p{L}\\\\p{N}]?\\\\p{L}+|\\\\p{N}| ?[^\\\\s\\\\p{L}\\\\p{N}]+[\\\\r"
                      + "\\\\n"
                      + "]*|\\\\s*[\\\\r"
                      + "\\\\n"
                      + "]+|\\\\s+(?!\\\\S)|\\\\s+"),
          "llama-bpe",
              split(
                  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\\\r"
                      + "\\\\n"
                      + "\\\\p{L}\\\\p{N}]?\\\\p{L}+|\\\\p{N}{1,3}|"
                      + " ?[^\\\\s\\\\p{L}\\\\p{N}]+[\\\\r"
                      + "\\\\n"
                      + "]*|\\\\s*[\\\\r"
                      + "\\\\n"
                      + "]+|\\\\s+(?!\\\\S)|\\\\s+"));

  private PreTokenizers() {}

  private static String split(String regex) {
    return """
    {"type": "Sequence", "pretokenizers": [
      {"type": "Split", "pattern": {"Regex": "%s"}, "behavior": "Isolated", "invert": false},
      {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false}]}\
    """
        .formatted(regex);
  }

  static String json(GgufVocabulary vocabulary) {
    String json = KNOWN.get(vocabulary.pre());
    if (json == null) {
      throw vocabulary.broken(
          "its pre-tokenizer is '%s'; known are %s"
              .formatted(vocabulary.pre(), String.join(", ", new TreeSet<>(KNOWN.keySet()))));
    }
    return json;
  }
}
