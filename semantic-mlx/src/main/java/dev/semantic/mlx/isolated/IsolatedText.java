package dev.semantic.mlx.isolated;

import dev.semantic.generate.ChatMessage;
import dev.semantic.model.ModelException;
import dev.semantic.spi.TextCodec;
import java.lang.ref.Cleaner;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Supplier;

/**
 * The tokenizer and the template in the child; they are native code, too. What is asked while a
 * process ends, as it does when its model is unloaded, is asked once more of the next one.
 */
final class IsolatedText implements TextCodec {
  private static final Cleaner CLEANER = Cleaner.create();

  private final Supplier<Child> child;
  private final Supplier<Optional<Child>> living;
  private final Set<Integer> endTokens;
  private final boolean beginsWithBos;
  private final boolean hasChatTemplate;
  private final int maxCharsPerToken; // 0 without a bound

  /**
   * Of a model that was prepared.
   *
   * @param child the process that knows it now
   * @param living the same, unless it has ended
   */
  IsolatedText(Supplier<Child> child, Supplier<Optional<Child>> living, Answer.Prepared prepared) {
    this.child = child;
    this.living = living;
    this.endTokens = Set.copyOf(prepared.endTokens());
    this.beginsWithBos = prepared.beginsWithBos();
    this.hasChatTemplate = prepared.hasChatTemplate();
    this.maxCharsPerToken = prepared.maxCharsPerToken();
  }

  private <T extends Answer> T ask(Ask ask, Class<T> answer) {
    Child here = child.get();
    try {
      return here.askBriefly(ask, answer);
    } catch (ModelException | IllegalStateException e) {
      if (here.isAlive()) {
        throw e;
      }
      return child.get().askBriefly(ask, answer);
    }
  }

  @Override
  public int[] encode(String text, boolean bos) {
    return ask(new Ask.Encode(text, bos), Answer.Tokens.class).value();
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
    return ask(new Ask.EncodeChat(messages), Answer.Tokens.class).value();
  }

  @Override
  public String renderChat(List<ChatMessage> messages) {
    return ask(new Ask.RenderChat(messages), Answer.Text.class).value();
  }

  @Override
  public boolean hasChatTemplate() {
    return hasChatTemplate;
  }

  @Override
  public String decode(int[] tokens) {
    return ask(new Ask.Decode(tokens), Answer.Text.class).value();
  }

  @Override
  public Set<Integer> endTokens() {
    return endTokens;
  }

  @Override
  public void forgetTexts() {
    living.get().ifPresent(here -> here.askBriefly(new Ask.ForgetTexts(), Answer.Done.class));
  }

  @Override
  public TokenStream stream(boolean keepSpecial) {
    Child here = child.get();
    long number = here.askBriefly(new Ask.OpenStream(keepSpecial), Answer.Count.class).value();
    Stream stream = new Stream(here, number);
    CLEANER.register(stream, new Closing(here, number));
    return stream;
  }

  /** The port has no end for a stream; what is left of it in the child is small. */
  private record Closing(Child child, long number) implements Runnable {
    @Override
    public void run() {
      if (child.isAlive()) {
        child.askBriefly(new Ask.CloseStream(number), Answer.Done.class);
      }
    }
  }

  /** Ends with its process, as the sequence does whose tokens it shows. */
  private record Stream(Child child, long number) implements TokenStream {
    @Override
    public String next(int token) {
      return child.askBriefly(new Ask.NextText(number, token), Answer.Text.class).value();
    }

    @Override
    public String rest() {
      return child.askBriefly(new Ask.RestOfText(number), Answer.Text.class).value();
    }
  }
}
