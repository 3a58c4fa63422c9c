package dev.semantic.mlx.isolated;

import dev.semantic.generate.ChatMessage;
import dev.semantic.generate.Constraint;
import dev.semantic.generate.Prompt;
import dev.semantic.mlx.grammar.Grammars;
import dev.semantic.model.ModelException;
import dev.semantic.spi.Detokenizer;
import dev.semantic.spi.TokenMatcher;
import dev.semantic.spi.Tokenizer;
import java.time.LocalDate;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Supplier;

/**
 * The tokenizer and the template in the child; they are native code, too. What is asked while a
 * process ends, as it does when its model is unloaded, is asked once more of the next one. Tokens
 * become text here, where no call crosses for each of them.
 */
final class IsolatedText implements Tokenizer {
  private final Supplier<WorkerProcess> child;
  private final Supplier<Optional<WorkerProcess>> living;
  private final Set<Integer> endTokens;
  private final boolean beginsWithBos;
  private final boolean hasChatTemplate;
  private final String chatTemplate;
  private final int maxCharsPerToken; // 0 without a bound
  private final Detokenizer detokenizer;
  private final Grammars grammars = new Grammars(this);

  /**
   * Of a model that was prepared.
   *
   * @param child the process that knows it now
   * @param living the same, unless it has ended
   */
  IsolatedText(
      Supplier<WorkerProcess> child,
      Supplier<Optional<WorkerProcess>> living,
      Response.Prepared prepared,
      Detokenizer detokenizer) {
    this.child = child;
    this.living = living;
    this.endTokens = Set.copyOf(prepared.endTokens());
    this.beginsWithBos = prepared.beginsWithBos();
    this.hasChatTemplate = prepared.hasChatTemplate();
    this.chatTemplate = prepared.chatTemplate();
    this.maxCharsPerToken = prepared.maxCharsPerToken();
    this.detokenizer = detokenizer;
  }

  private <T extends Response> T ask(Request request, Class<T> answer) {
    WorkerProcess here = child.get();
    try {
      return here.askBriefly(request, answer);
    } catch (ModelException | IllegalStateException e) {
      if (here.isAlive()) {
        throw e;
      }
      return child.get().askBriefly(request, answer);
    }
  }

  @Override
  public int[] encode(String text, boolean bos) {
    return ask(new Request.Encode(text, bos), Response.Tokens.class).value();
  }

  @Override
  public OptionalInt maxCharsPerToken() {
    return maxCharsPerToken == 0 ? OptionalInt.empty() : OptionalInt.of(maxCharsPerToken);
  }

  @Override
  public boolean beginsWithBos() {
    return beginsWithBos;
  }

  @Override
  public int[] encodeChat(List<ChatMessage> messages) {
    return encodeChat(new Prompt.Chat(messages));
  }

  @Override
  public String renderChat(List<ChatMessage> messages) {
    return renderChat(new Prompt.Chat(messages));
  }

  @Override
  public int[] encodeChat(Prompt.Chat chat) {
    return ask(new Request.EncodeChat(chat.fields(), today(chat)), Response.Tokens.class).value();
  }

  @Override
  public String renderChat(Prompt.Chat chat) {
    return ask(new Request.RenderChat(chat.fields(), today(chat)), Response.Text.class).value();
  }

  private static String today(Prompt.Chat chat) {
    return chat.today().map(LocalDate::toString).orElse("");
  }

  @Override
  public boolean hasChatTemplate() {
    return hasChatTemplate;
  }

  @Override
  public String chatTemplate() {
    return chatTemplate;
  }

  @Override
  public Detokenizer detokenizer() {
    return detokenizer;
  }

  @Override
  public String decode(int[] tokens) {
    return detokenizer.tokens() == 0
        ? ask(new Request.Decode(tokens), Response.Text.class).value() // which says why not
        : detokenizer.decode(tokens);
  }

  @Override
  public Set<Integer> endTokens() {
    return endTokens;
  }

  @Override
  public TokenMatcher match(Constraint constraint) {
    return grammars.match(constraint);
  }

  /** Lets go of what constraints need, once no answer needs it any more. */
  void close() {
    grammars.close();
  }

  @Override
  public void forgetTexts() {
    living.get().ifPresent(here -> here.askBriefly(new Request.ForgetTexts(), Response.Done.class));
  }
}
