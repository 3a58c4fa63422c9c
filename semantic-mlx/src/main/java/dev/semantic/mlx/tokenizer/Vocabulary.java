package dev.semantic.mlx.tokenizer;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/** What is known of a model's tokens, beside how text is cut into them. */
interface Vocabulary {
  /** Texts by id. */
  List<String> tokens();

  /** Whether tokens are written in GPT-2's alphabet of bytes; else with {@code ▁} for a space. */
  boolean byteLevel();

  /** A control token: never part of text. */
  boolean isSpecial(int id);

  /** A piece of text that is always one token, written as it is. */
  boolean isUserDefined(int id);

  /** A byte that no other token covers. */
  boolean isByte(int id);

  /** Special tokens by their text. */
  Map<String, Integer> special();

  /** What a text is cut at before the rest of it becomes tokens. */
  List<AddedToken> added();

  /** A token with a purpose: {@code bos}, {@code eos}, {@code unknown}. */
  Optional<Integer> id(String name);

  /** Whether text is put behind a space before it is cut. */
  boolean addsSpace();

  /** Whether the first space of a text that is read back is not part of it. */
  default boolean dropsFirstSpace() {
    return false;
  }

  /** Whether the model was made with a beginning-of-sequence token in front of plain text. */
  boolean beginsWithBos();

  /**
   * The most characters that one token made of text stands for, added ones not counted.
   *
   * @return empty where there is no such bound
   */
  OptionalInt longest();

  /** Tokens that end an answer. */
  Set<Integer> endTokens();
}
