package dev.semantic.mlx.tokenizer;

import dev.semantic.mlx.template.ModelTemplates;
import dev.semantic.model.ModelException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/** What a GGUF file says of its tokenizer. */
final class GgufVocabulary implements Vocabulary {
  /** A control token: never part of text. */
  private static final int SPECIAL = 3;

  /** A piece of text that is always one token. */
  private static final int USER_DEFINED = 4;

  /** A byte that no other token covers. */
  private static final int BYTE = 6;

  /**
   * What models end an answer with, whatever the file names as its end of sequence, and whatever
   * kind of token it says they are: llama.cpp's list.
   */
  private static final Set<String> ENDS =
      Set.of(
          "<|im_end|>",
          "<|eot_id|>",
          "<|eom_id|>",
          "<|end|>",
          "<|return|>",
          "<|call|>",
          "<|flush|>",
          "<|calls|>",
          "<|endoftext|>",
          "<|end_of_text|>",
          "<end_of_turn>",
          "<end_of_utterance>",
          "<EOT>",
          "_<EOT>",
          "[EOT]",
          "[EOS]",
          "<｜end▁of▁sentence｜>");

  /** The same, where they are control tokens: they are words of HTML, too. */
  private static final Set<String> CONTROL_ENDS = Set.of("</s>", "<eos>");

  /** Where both of these end an answer, {@code <|end|>} ends a part of it. */
  private static final Set<String> HARMONY_ENDS = Set.of("<|return|>", "<|call|>");

  /** GGUF's words for tokens with a purpose, and those of templates. */
  private static final Map<String, String> PURPOSES =
      Map.of(
          "bos", "bos_token", "eos", "eos_token", "unknown", "unk_token", "padding", "pad_token");

  private final Path file;
  private final Map<String, Object> metadata;
  private final List<String> tokens;
  private final List<Integer> types;
  private final BitSet special = new BitSet();

  GgufVocabulary(Path file, Map<String, Object> metadata) {
    this.file = file;
    this.metadata = metadata;
    this.tokens = strings("tokenizer.ggml.tokens");
    this.types =
        metadata.containsKey("tokenizer.ggml.token_type")
            ? numbers("tokenizer.ggml.token_type").stream().map(Number::intValue).toList()
            : Collections.nCopies(tokens.size(), 1);
    if (types.size() != tokens.size()) {
      throw broken("%d tokens, but the types of %d".formatted(tokens.size(), types.size()));
    }
    for (int id = 0; id < tokens.size(); id++) {
      special.set(id, types.get(id) == SPECIAL || ENDS.contains(tokens.get(id)));
      int length = tokens.get(id).length();
      if (special.get(id) && length > AddedToken.LONGEST_SPECIAL) {
        throw broken(
            "the special token %d has %d characters, more than %d"
                .formatted(id, length, AddedToken.LONGEST_SPECIAL));
      }
    }
  }

  /** {@code gpt2} or {@code llama}, for example. */
  String model() {
    return String.valueOf(metadata.get("tokenizer.ggml.model"));
  }

  /** How text is cut before it becomes tokens. */
  String pre() {
    return String.valueOf(metadata.getOrDefault("tokenizer.ggml.pre", "default"));
  }

  @Override
  public List<String> tokens() {
    return tokens;
  }

  @Override
  public boolean isSpecial(int id) {
    return special.get(id);
  }

  @Override
  public boolean isUserDefined(int id) {
    return types.get(id) == USER_DEFINED && !special.get(id);
  }

  @Override
  public boolean isByte(int id) {
    return types.get(id) == BYTE && JsonVocabulary.BYTE.matcher(tokens.get(id)).matches();
  }

  @Override
  public Map<String, Integer> special() {
    Map<String, Integer> special = new LinkedHashMap<>();
    for (int id = 0; id < tokens.size(); id++) {
      if (isSpecial(id) && !tokens.get(id).isEmpty()) {
        special.putIfAbsent(tokens.get(id), id);
      }
    }
    return special;
  }

  @Override
  public List<AddedToken> added() {
    List<AddedToken> added = new ArrayList<>();
    for (int id = 0; id < tokens.size(); id++) {
      if ((isSpecial(id) || isUserDefined(id)) && !tokens.get(id).isEmpty()) {
        added.add(AddedToken.of(id, tokens.get(id), isSpecial(id)));
      }
    }
    return added;
  }

  List<String> merges() {
    return strings("tokenizer.ggml.merges");
  }

  List<Float> scores() {
    List<Float> scores = numbers("tokenizer.ggml.scores").stream().map(Number::floatValue).toList();
    if (scores.size() != tokens.size()) {
      throw broken("%d tokens, but scores of %d".formatted(tokens.size(), scores.size()));
    }
    return scores;
  }

  @Override
  public Optional<Integer> id(String name) {
    if (metadata.get("tokenizer.ggml." + name + "_token_id") instanceof Long id) {
      if (id < 0 || id >= tokens.size()) {
        throw broken("the %s token is %d of %d".formatted(name, id, tokens.size()));
      }
      return Optional.of(id.intValue());
    }
    return Optional.empty();
  }

  @Override
  public boolean byteLevel() {
    return model().equals("gpt2");
  }

  @Override
  public boolean addsSpace() {
    return model().equals("llama") && flag("add_space_prefix", true);
  }

  @Override
  public boolean dropsFirstSpace() {
    return addsSpace();
  }

  @Override
  public OptionalInt longest() {
    OptionalInt ofModel =
        byteLevel() ? LongestToken.ofBytes(tokens) : LongestToken.ofCharacters(tokens);
    return LongestToken.with(ofModel, added(), 1);
  }

  @Override
  public boolean beginsWithBos() {
    boolean usual = byteLevel() ? PreTokenizers.beginsWithBos(pre()) : model().equals("llama");
    return flag("add_bos_token", usual) && id("bos").isPresent();
  }

  private boolean flag(String name, boolean otherwise) {
    return metadata.getOrDefault("tokenizer.ggml." + name, otherwise).equals(true);
  }

  ModelTemplates chatTemplates() {
    Map<String, String> named = new LinkedHashMap<>();
    PURPOSES.forEach(
        (purpose, name) -> id(purpose).ifPresent(id -> named.put(name, tokens.get(id))));
    return ModelTemplates.ofGguf(metadata, named);
  }

  @Override
  public Set<Integer> endTokens() {
    Set<Integer> ends = new LinkedHashSet<>();
    Map<String, Integer> known = special();
    id("eos").ifPresent(ends::add);
    id("eot").ifPresent(ends::add);
    id("eom").ifPresent(ends::add);
    known.forEach(
        (text, id) -> {
          if (ENDS.contains(text) || CONTROL_ENDS.contains(text)) {
            ends.add(id);
          }
        });
    if (known.keySet().containsAll(HARMONY_ENDS)) {
      ends.remove(known.get("<|end|>"));
    }
    return Collections.unmodifiableSet(ends);
  }

  private List<String> strings(String key) {
    List<String> strings = new ArrayList<>();
    for (Object value : list(key)) {
      if (!(value instanceof String text)) {
        throw broken(key + " holds something else than texts");
      }
      strings.add(text);
    }
    return strings;
  }

  private List<Number> numbers(String key) {
    List<Number> numbers = new ArrayList<>();
    for (Object value : list(key)) {
      if (!(value instanceof Number number)) {
        throw broken(key + " holds something else than numbers");
      }
      numbers.add(number);
    }
    return numbers;
  }

  private List<?> list(String key) {
    if (metadata.get(key) instanceof List<?> values) {
      return values;
    }
    throw broken(key + " is missing");
  }

  ModelException broken(String what) {
    return new ModelException(
        ModelException.Kind.DAMAGED,
        "The tokenizer in %s cannot be used: %s".formatted(file, what));
  }
}
