package dev.semantic.mlx.text;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import dev.semantic.chat.ChatMessage;
import dev.semantic.mlx.template.TemplateException;
import dev.semantic.model.ModelException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntPredicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * One model's tokenizer and chat template. Special tokens are kept out of the tokenizer: they are
 * found here, and only where the template wrote them.
 */
public final class ModelText implements ModelCodec {
  private static final char NO_GUARD = 0;

  private final Path file;
  private final Vocabulary vocabulary;
  private final HuggingFaceTokenizer tokenizer;
  private final Templates templates;
  private final TokenBytes bytes;
  private final Map<String, Integer> special;
  private final Pattern specialText;
  private final Set<Integer> endTokens;

  ModelText(Path file, Vocabulary vocabulary, HuggingFaceTokenizer tokenizer, Templates templates) {
    this.file = file;
    this.vocabulary = vocabulary;
    this.tokenizer = tokenizer;
    this.templates = templates;
    this.bytes = new TokenBytes(vocabulary);
    this.special = vocabulary.special();
    this.specialText = anyOf(vocabulary);
    this.endTokens = vocabulary.endTokens();
  }

  /** Matches the longest special token at a place; nothing where there are none. */
  private static Pattern anyOf(Vocabulary vocabulary) {
    Set<String> texts = vocabulary.special().keySet();
    Set<String> before = vocabulary.stripping(false);
    Set<String> behind = vocabulary.stripping(true);
    if (texts.isEmpty()) {
      return Pattern.compile("(?!)");
    }
    return Pattern.compile(
        texts.stream()
            .sorted((a, b) -> Integer.compare(b.length(), a.length()))
            .map(
                text ->
                    (before.contains(text) ? "\\s*" : "")
                        + "(?:%s)".formatted(Pattern.quote(text))
                        + (behind.contains(text) ? "\\s*" : ""))
            .collect(Collectors.joining("|")));
  }

  @Override
  public int[] encode(String text, boolean bos) {
    IntStream ids = IntStream.of(raw(text, NO_GUARD));
    return bos && vocabulary.id("bos").isPresent()
        ? IntStream.concat(IntStream.of(vocabulary.id("bos").orElseThrow()), ids).toArray()
        : ids.toArray();
  }

  private int[] plain(String text) {
    if (text.isEmpty()) {
      return new int[0];
    }
    long[] ids =
        tokenizer.encode(vocabulary.addsSpace() ? " " + text : text, false, false).getIds();
    return java.util.Arrays.stream(ids).mapToInt(Math::toIntExact).toArray();
  }

  @Override
  public boolean beginsWithBos() {
    return vocabulary.beginsWithBos();
  }

  @Override
  public int[] encodeChat(List<ChatMessage> messages) {
    char guard = guard(messages);
    String text = render(messages, guard);
    return raw(text, guard);
  }

  /** Tokens of a text whose special tokens count, but for those that are broken up by a guard. */
  private int[] raw(String text, char guard) {
    List<int[]> parts = new ArrayList<>();
    Matcher found = specialText.matcher(text);
    int from = 0;
    while (found.find()) {
      parts.add(plain(without(guard, text.substring(from, found.start()))));
      parts.add(new int[] {specialToken(found.group())});
      from = found.end();
    }
    parts.add(plain(without(guard, text.substring(from))));
    return parts.stream().flatMapToInt(IntStream::of).toArray();
  }

  /** Some take white space with them. */
  private int specialToken(String found) {
    Integer exact = special.get(found);
    return exact != null ? exact : special.getOrDefault(found.strip(), 0);
  }

  @Override
  public String renderChat(List<ChatMessage> messages) {
    char guard = guard(messages);
    return without(guard, render(messages, guard));
  }

  /**
   * Renders with what looks like a special token in a message broken up by a character that nobody
   * writes: so it is still known, in the text that comes out, which ones are the template's own.
   */
  private String render(List<ChatMessage> messages, char guard) {
    List<Map<String, String>> guarded = new ArrayList<>();
    for (ChatMessage message : messages) {
      Map<String, String> values = new LinkedHashMap<>();
      values.put("role", guarded(message.role(), guard));
      values.put("content", guarded(message.content(), guard));
      guarded.add(values);
    }
    return rendered(values(Map.of("messages", guarded)), Clock.system(ZoneId.systemDefault()));
  }

  /** What a template is given, unless told otherwise. */
  private Map<String, @Nullable Object> values(Map<String, ? extends @Nullable Object> given) {
    Map<String, @Nullable Object> values = new LinkedHashMap<>(templates.all().tokens());
    values.put("bos_token", text("bos"));
    values.put("eos_token", text("eos"));
    values.put("add_generation_prompt", true);
    values.put("tools", null);
    values.putAll(given);
    return values;
  }

  private String rendered(Map<String, @Nullable Object> values, Clock clock) {
    try {
      return templates
          .choose(values.get("tools") != null)
          .orElseThrow(this::noTemplate)
          .render(values, clock);
    } catch (TemplateException e) {
      throw new ModelException(
          ModelException.Kind.INVALID,
          "The chat template of %s: %s".formatted(file, e.getMessage()),
          e);
    }
  }

  /**
   * Rendered twice, as it is and guarded. Where a template looks into the texts for what the guard
   * breaks up, the two differ, and the text as it is counts.
   */
  @Override
  public Rendered render(Map<String, ? extends @Nullable Object> given, Clock clock) {
    Map<String, @Nullable Object> values = values(given);
    String text = rendered(values, clock);
    char guard = guard(c -> holds(values, c));
    Map<String, @Nullable Object> guarded = new LinkedHashMap<>(values);
    for (String name : List.of("messages", "tools", "documents")) {
      guarded.computeIfPresent(name, (_, value) -> guardedAll(value, guard));
    }
    String marked;
    try {
      marked = rendered(guarded, clock);
    } catch (ModelException e) {
      marked = text; // it knows only what is as it is
    }
    boolean same = without(guard, marked).equals(text);
    return new Rendered(text, same ? raw(marked, guard) : raw(text, NO_GUARD));
  }

  private ModelException noTemplate() {
    return new ModelException(
        ModelException.Kind.NO_CHAT_TEMPLATE,
        "%s has no chat template (a base model?); give it plain text instead of messages"
            .formatted(file));
  }

  private String text(String name) {
    return vocabulary.id(name).map(vocabulary.tokens()::get).orElse("");
  }

  private String guarded(String text, char guard) {
    return specialText
        .matcher(text)
        .replaceAll(
            found ->
                Matcher.quoteReplacement(
                    found.group().substring(0, 1) + guard + found.group().substring(1)));
  }

  private static boolean holds(@Nullable Object value, int c) {
    return switch (value) {
      case String text -> text.indexOf(c) >= 0;
      case Map<?, ?> map -> map.values().stream().anyMatch(each -> holds(each, c));
      case List<?> list -> list.stream().anyMatch(each -> holds(each, c));
      case null, default -> false;
    };
  }

  /** The same with every text in it guarded, but for the names of fields. */
  private @Nullable Object guardedAll(@Nullable Object value, char guard) {
    return switch (value) {
      case String text -> guarded(text, guard);
      case Map<?, ?> map -> guardedValues(map, guard);
      case List<?> list -> guardedMembers(list, guard);
      case null, default -> value;
    };
  }

  private Map<Object, @Nullable Object> guardedValues(Map<?, ?> map, char guard) {
    Map<Object, @Nullable Object> all = new LinkedHashMap<>();
    map.forEach((name, each) -> all.put(name, guardedAll(each, guard)));
    return all;
  }

  private List<@Nullable Object> guardedMembers(List<?> list, char guard) {
    List<@Nullable Object> all = new ArrayList<>();
    list.forEach(each -> all.add(guardedAll(each, guard)));
    return all;
  }

  private static String without(char guard, String text) {
    return guard == NO_GUARD || text.indexOf(guard) < 0
        ? text
        : text.replace(String.valueOf(guard), "");
  }

  private static char guard(List<ChatMessage> messages) {
    return guard(
        c ->
            messages.stream()
                .anyMatch(m -> m.content().indexOf(c) >= 0 || m.role().indexOf(c) >= 0));
  }

  /** One of Unicode's noncharacters that no message contains. */
  private static char guard(IntPredicate used) {
    for (char c = '\ufdd0'; c <= '\ufdef'; c++) {
      if (!used.test(c)) {
        return c;
      }
    }
    throw new ModelException(
        ModelException.Kind.INVALID,
        "The messages hold every one of Unicode's noncharacters U+FDD0 to U+FDEF; leave one out");
  }

  @Override
  public boolean hasChatTemplate() {
    return templates.usual().isPresent();
  }

  @Override
  public String decode(int[] tokens) {
    TokenStream stream = stream(false);
    StringBuilder text = new StringBuilder();
    for (int token : tokens) {
      text.append(stream.next(token));
    }
    return text.append(stream.rest()).toString();
  }

  @Override
  public TokenStream stream(boolean keepSpecial) {
    return new Utf8Stream(bytes, vocabulary, keepSpecial);
  }

  @Override
  public Set<Integer> endTokens() {
    return endTokens;
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}
