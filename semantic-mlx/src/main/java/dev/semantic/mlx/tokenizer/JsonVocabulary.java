package dev.semantic.mlx.tokenizer;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.regex.Pattern;

/** What a {@code tokenizer.json} and the files beside it say of a model's tokens. */
final class JsonVocabulary implements Vocabulary {
  /**
   * What the tokenizer is made of, as far as it concerns reading tokens back.
   *
   * @param beginsWith the token that its post-processor puts first; empty for none
   * @param longest the most characters that one token stands for; empty without a bound
   */
  record Traits(
      boolean byteLevel,
      boolean byteFallback,
      boolean dropsFirstSpace,
      String beginsWith,
      OptionalInt longest) {}

  static final Pattern BYTE = Pattern.compile("<0x[0-9A-Fa-f]{2}>");

  private final List<String> tokens;
  private final Map<Integer, AddedToken> added = new LinkedHashMap<>();
  private final List<AddedToken> outside;
  private final Map<String, Integer> special = new LinkedHashMap<>();
  private final Traits traits;
  private final Map<String, String> named;
  private final boolean addsBos;
  private final Set<Integer> endTokens;

  /**
   * A vocabulary.
   *
   * @param ids by text, those of the model itself
   * @param outside those of the added tokens that are found outside of the tokenizer
   * @param named texts of tokens with a purpose: {@code bos}, {@code eos}
   * @param addsBos what the configuration says where the tokenizer does not
   * @param endTokens that the configuration names
   */
  JsonVocabulary(
      Map<String, Integer> ids,
      List<AddedToken> given,
      List<AddedToken> outside,
      Traits traits,
      Map<String, String> named,
      boolean addsBos,
      Set<Integer> endTokens) {
    this.traits = traits;
    this.outside = outside;
    this.named = named;
    this.addsBos = addsBos;
    int size = 0;
    for (int id : ids.values()) {
      size = Math.max(size, id + 1);
    }
    for (AddedToken each : given) {
      size = Math.max(size, each.id() + 1);
      added.put(each.id(), each);
      if (each.special()) {
        special.put(each.text(), each.id());
      }
    }
    List<String> texts = new ArrayList<>(Collections.nCopies(size, ""));
    ids.forEach((text, id) -> texts.set(id, text));
    given.forEach(each -> texts.set(each.id(), each.text()));
    this.tokens = Collections.unmodifiableList(texts);
    Set<Integer> ends = new HashSet<>(endTokens);
    id("eos").ifPresent(ends::add);
    this.endTokens = Collections.unmodifiableSet(ends);
  }

  @Override
  public List<String> tokens() {
    return tokens;
  }

  @Override
  public boolean byteLevel() {
    return traits.byteLevel();
  }

  @Override
  public boolean isSpecial(int id) {
    AddedToken token = added.get(id);
    return token != null && token.special();
  }

  @Override
  public boolean isUserDefined(int id) {
    AddedToken token = added.get(id);
    return token != null && !token.special();
  }

  @Override
  public boolean isByte(int id) {
    return traits.byteFallback() && BYTE.matcher(tokens.get(id)).matches();
  }

  @Override
  public Map<String, Integer> special() {
    return special;
  }

  @Override
  public List<AddedToken> added() {
    return outside;
  }

  @Override
  public Optional<Integer> id(String name) {
    String text = named.get(name);
    if (text == null || text.isEmpty()) {
      return Optional.empty();
    }
    Integer known = special.get(text);
    int id = known != null ? known : tokens.indexOf(text);
    return id < 0 ? Optional.empty() : Optional.of(id);
  }

  @Override
  public boolean addsSpace() {
    return false; // its own normaliser does
  }

  @Override
  public boolean dropsFirstSpace() {
    return traits.dropsFirstSpace();
  }

  @Override
  public OptionalInt longest() {
    return traits.longest();
  }

  @Override
  public boolean beginsWithBos() {
    return id("bos").isPresent()
        && (addsBos || traits.beginsWith().equals(named.getOrDefault("bos", "")));
  }

  @Override
  public Set<Integer> endTokens() {
    return endTokens;
  }
}
