package dev.semantic.mlx.tokenizer;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.semantic.generate.ChatMessage;
import dev.semantic.generate.Prompt;
import dev.semantic.mlx.template.TemplateException;
import dev.semantic.mlx.tokenizer.AddedTokens.Part;
import dev.semantic.model.ModelException;
import dev.semantic.spi.Detokenizer;
import java.nio.file.Path;
import java.time.Clock;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * One model's tokenizer and chat template. Added tokens are kept out of the tokenizer: they are
 * found here, special ones only where the template wrote them.
 *
 * <p>The tokens of a text between two added tokens depend on nothing but that text and on whether
 * it is the first, so they are remembered: of a conversation that grew only what is new is
 * tokenised. That is exact; it helps as far as the model's template puts tokens of their own around
 * messages, and not where it has brackets of plain text for that.
 */
public final class HfTokenizer implements ChatTokenizer {
  /** What the remembered texts and tokens may take, about. */
  private static final long REMEMBERED_BYTES = 16L << 20;

  private final Path file;
  private final Vocabulary vocabulary;
  private final TextTokenizer tokenizer;
  private final Templates templates;
  private final Roles roles;
  private final ChatValues chats;
  private final Detokenizer detokenizer;
  private final AddedTokens added;
  private final Guard guard;
  private final Set<Integer> endTokens;
  private final OptionalInt maxCharsPerToken;
  private final Cache<Between, int[]> remembered =
      Caffeine.newBuilder()
          .maximumWeight(REMEMBERED_BYTES)
          .weigher(
              (Between text, int[] tokens) -> 120 + 2 * text.text().length() + 4 * tokens.length)
          .executor(Runnable::run)
          .build();

  /**
   * Text between added tokens.
   *
   * @param first whether nothing stands before it
   */
  private record Between(String text, boolean first) {}

  HfTokenizer(Path file, Vocabulary vocabulary, TextTokenizer tokenizer, Templates templates) {
    this.file = file;
    this.vocabulary = vocabulary;
    this.tokenizer = tokenizer;
    this.templates = templates;
    this.roles = new Roles(templates.all().sources().values());
    this.chats =
        new ChatValues(
            templates.all().sources().values(),
            given -> rendered(values(given), Clock.system(ZoneId.systemDefault())));
    this.detokenizer = TokenBytes.detokenizer(vocabulary);
    this.added = new AddedTokens(vocabulary.added());
    this.guard =
        new Guard(
            vocabulary.special().keySet(),
            vocabulary.added().stream()
                .filter(each -> !each.special())
                .map(AddedToken::text)
                .collect(Collectors.toSet()));
    this.endTokens = vocabulary.endTokens();
    this.maxCharsPerToken = vocabulary.longest();
  }

  @Override
  public int[] encode(String text, boolean bos) {
    int[] tokens = tokens(text, text);
    if (!bos || vocabulary.id("bos").isEmpty()) {
      return tokens;
    }
    int[] all = new int[tokens.length + 1];
    all[0] = vocabulary.id("bos").orElseThrow();
    System.arraycopy(tokens, 0, all, 1, tokens.length);
    return all;
  }

  /**
   * Tokens of a text.
   *
   * @param searched the same text, where special tokens that don't count are broken
   */
  private int[] tokens(String text, String searched) {
    int[] tokens = new int[64];
    int count = 0;
    for (Part part : added.cut(text, searched)) {
      int[] more =
          part.token() == null
              ? remembered.get(new Between(part.between(), part.from() == 0), this::between)
              : new int[] {part.token().id()};
      if (count + more.length > tokens.length) {
        tokens = Arrays.copyOf(tokens, 2 * (count + more.length));
      }
      System.arraycopy(more, 0, tokens, count, more.length);
      count += more.length;
    }
    return Arrays.copyOf(tokens, count);
  }

  private int[] between(Between text) {
    return tokenizer.encode(text.text(), text.first());
  }

  @Override
  public OptionalInt maxCharsPerToken() {
    return maxCharsPerToken;
  }

  @Override
  public boolean beginsWithBos() {
    return vocabulary.beginsWithBos();
  }

  @Override
  public String renderChat(Prompt.Chat chat) {
    return rendered(required(chat), clock(chat, Clock.system(ZoneId.systemDefault())));
  }

  @Override
  public Rendered render(Prompt.Chat chat, Clock clock) {
    return guarded(required(chat), clock(chat, clock));
  }

  /** What the template is given for a conversation whose roles are known. */
  private Map<String, @Nullable Object> required(Prompt.Chat chat) {
    roles.require(chat.messages().stream().map(ChatMessage::role).toList());
    return values(chats.of(chat));
  }

  private static Clock clock(Prompt.Chat chat, Clock otherwise) {
    return chat.today()
        .map(day -> Clock.fixed(day.atStartOfDay(ZoneOffset.UTC).toInstant(), ZoneOffset.UTC))
        .orElse(otherwise);
  }

  /** What a template is given, unless told otherwise: what transformers gives it. */
  private Map<String, @Nullable Object> values(Map<String, ? extends @Nullable Object> given) {
    Map<String, @Nullable Object> values = new LinkedHashMap<>(own());
    values.put("add_generation_prompt", true);
    values.put("tools", null);
    values.put("documents", null);
    values.putAll(given);
    return values;
  }

  /** The model's own words for its tokens. */
  private Map<String, @Nullable Object> own() {
    Map<String, @Nullable Object> own = new LinkedHashMap<>(templates.all().tokens());
    own.put("bos_token", text("bos"));
    own.put("eos_token", text("eos"));
    return own;
  }

  private String rendered(Map<String, ? extends @Nullable Object> values, Clock clock) {
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

  @Override
  public Rendered render(Map<String, ? extends @Nullable Object> given, Clock clock) {
    roles.require(Roles.of(given.get("messages")));
    return guarded(values(given), clock);
  }

  /** The only way from what a template is given to tokens. */
  private Rendered guarded(Map<String, @Nullable Object> values, Clock clock) {
    String text = rendered(values, clock);
    Map<String, @Nullable Object> outside = new LinkedHashMap<>(values);
    Map<String, @Nullable Object> own = own();
    outside.entrySet().removeIf(value -> value.getValue() == null || isOwn(value, own));
    String broken =
        guard.broken(
            outside,
            text,
            other -> {
              Map<String, @Nullable Object> all = new LinkedHashMap<>(values);
              all.putAll(other);
              return rendered(all, clock);
            });
    return new Rendered(text, tokens(text, broken));
  }

  private static boolean isOwn(
      Map.Entry<String, @Nullable Object> value, Map<String, @Nullable Object> own) {
    return own.containsKey(value.getKey())
        && String.valueOf(value.getValue()).equals(own.get(value.getKey()));
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

  @Override
  public boolean hasChatTemplate() {
    return templates.usual().isPresent();
  }

  @Override
  public String chatTemplate() {
    return chats.source();
  }

  @Override
  public Detokenizer detokenizer() {
    return detokenizer;
  }

  @Override
  public Set<Integer> endTokens() {
    return endTokens;
  }

  @Override
  public void forgetTexts() {
    remembered.invalidateAll();
  }

  /** How many texts it remembers. */
  long remembered() {
    return remembered.estimatedSize();
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}
