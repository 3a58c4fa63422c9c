package dev.semantic.mlx.text;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import dev.semantic.chat.ChatMessage;
import dev.semantic.mlx.template.ChatTemplate;
import dev.semantic.mlx.template.TemplateException;
import dev.semantic.model.ModelException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
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
  private final Optional<ChatTemplate> template;
  private final TokenBytes bytes;
  private final Map<String, Integer> special;
  private final Pattern specialText;
  private final Set<Integer> endTokens;

  ModelText(
      Path file,
      Vocabulary vocabulary,
      HuggingFaceTokenizer tokenizer,
      Optional<ChatTemplate> template) {
    this.file = file;
    this.vocabulary = vocabulary;
    this.tokenizer = tokenizer;
    this.template = template;
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
    Map<String, @Nullable Object> values = new LinkedHashMap<>();
    values.put("messages", guarded);
    values.put("add_generation_prompt", true);
    values.put("bos_token", text("bos"));
    values.put("eos_token", text("eos"));
    values.put("tools", null);
    try {
      return template.orElseThrow(this::noTemplate).render(values);
    } catch (TemplateException e) {
      throw new ModelException("The chat template of %s: %s".formatted(file, e.getMessage()), e);
    }
  }

  private ModelException noTemplate() {
    return new ModelException(
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

  private static String without(char guard, String text) {
    return guard == NO_GUARD || text.indexOf(guard) < 0
        ? text
        : text.replace(String.valueOf(guard), "");
  }

  /** One of Unicode's noncharacters that no message contains. */
  private static char guard(List<ChatMessage> messages) {
    for (char c = '\ufdd0'; c <= '\ufdef'; c++) {
      char candidate = c;
      if (messages.stream()
          .noneMatch(
              m -> m.content().indexOf(candidate) >= 0 || m.role().indexOf(candidate) >= 0)) {
        return candidate;
      }
    }
    throw new ModelException(
        "The messages hold every one of Unicode's noncharacters U+FDD0 to U+FDEF; leave one out");
  }

  @Override
  public boolean hasChatTemplate() {
    return template.isPresent();
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
