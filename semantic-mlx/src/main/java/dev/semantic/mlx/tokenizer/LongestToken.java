package dev.semantic.mlx.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * How many characters of a text one token stands for at most. There is a bound where no character
 * of a text is lost on its way: each is part of some token, or falls apart into tokens of its
 * bytes.
 */
final class LongestToken {
  /** Bytes that UTF-8 has nowhere. */
  private static final Set<Integer> NEVER =
      Set.of(0xc0, 0xc1, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd, 0xfe, 0xff);

  /** What leaves all characters of a text in its pieces. */
  private static final Set<String> WHOLE_CUTS =
      Set.of("ByteLevel", "Digits", "FixedLength", "Metaspace", "UnicodeScripts");

  /** What does so unless it is told to remove what it cuts at. */
  private static final Set<String> CUTS = Set.of("Punctuation", "Split");

  private LongestToken() {}

  /** Of a model that merges bytes, written in GPT-2's alphabet: a byte is a character at most. */
  static OptionalInt ofBytes(Collection<String> tokens) {
    return covers(tokens, TokenBytes.alphabet()) ? longest(tokens) : OptionalInt.empty();
  }

  /** Of a model that merges characters, and has a token for each byte of those it doesn't know. */
  static OptionalInt ofCharacters(Collection<String> tokens) {
    return covers(tokens, IntStream.range(0, 256).mapToObj("<0x%02X>"::formatted).toList())
        ? longest(tokens)
        : OptionalInt.empty();
  }

  private static boolean covers(Collection<String> tokens, List<String> bytes) {
    Set<String> missing = new HashSet<>();
    for (int b = 0; b < bytes.size(); b++) {
      if (!NEVER.contains(b)) {
        missing.add(bytes.get(b));
      }
    }
    tokens.forEach(missing::remove);
    return missing.isEmpty();
  }

  private static OptionalInt longest(Collection<String> tokens) {
    return tokens.stream().mapToInt(String::length).max();
  }

  /**
   * The same of a whole tokenizer.
   *
   * @param ofModel as one of the two above has it
   * @param added what a text is cut at
   * @param shrinks by how much a normalizer shortens a text at most; 0 without a bound
   */
  static OptionalInt with(OptionalInt ofModel, Collection<AddedToken> added, int shrinks) {
    if (ofModel.isEmpty()
        || shrinks == 0
        || added.stream().anyMatch(each -> each.lstrip() || each.rstrip())) {
      return OptionalInt.empty(); // one that strips takes any number of blanks along
    }
    int longest = ofModel.getAsInt();
    for (AddedToken each : added) {
      longest = Math.max(longest, each.text().length());
    }
    return OptionalInt.of(Math.multiplyExact(longest, shrinks));
  }

  /** By how much a normalizer shortens a text at most; 0 where there is no bound. */
  static int shrinks(@Nullable JsonNode normalizer) {
    if (normalizer == null || normalizer.isNull()) {
      return 1;
    }
    return switch (normalizer.path("type").asText("")) {
      case "Prepend" -> 1;
      // What it puts together, at most four of UTF-16's units, is written in two bytes or more.
      case "NFC" -> 2;
      case "Replace" -> {
        String from = normalizer.path("pattern").path("String").asText("");
        String to = normalizer.path("content").asText("");
        yield !from.isEmpty() && to.length() >= from.length() ? 1 : 0;
      }
      case "Sequence" -> {
        int all = 1;
        for (JsonNode each : normalizer.path("normalizers")) {
          all = Math.min(4, all * shrinks(each));
        }
        yield all;
      }
      default -> 0;
    };
  }

  /** Whether a pre-tokenizer leaves all characters of a text in its pieces. */
  static boolean keeps(@Nullable JsonNode preTokenizer) {
    if (preTokenizer == null || preTokenizer.isNull()) {
      return true;
    }
    String type = preTokenizer.path("type").asText("");
    if (type.equals("Sequence")) {
      for (JsonNode each : preTokenizer.path("pretokenizers")) {
        if (!keeps(each)) {
          return false;
        }
      }
      return true;
    }
    return WHOLE_CUTS.contains(type)
        || (CUTS.contains(type) && !preTokenizer.path("behavior").asText("").equals("Removed"));
  }
}
