package dev.semantic.mlx.tokenizer;

import dev.semantic.generate.Constraint;
import dev.semantic.generate.Prompt;
import dev.semantic.mlx.grammar.Grammars;
import dev.semantic.spi.Detokenizer;
import dev.semantic.spi.TokenMatcher;
import java.time.Clock;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A codec whose memory outside of the heap is given back by whoever uses it last: a prompt may
 * still become tokens while its model is closed.
 */
public final class SharedCodec implements ChatTokenizer {
  private final ChatTokenizer codec;
  private final Grammars grammars = new Grammars(this);
  private int users; // this and the next: under this object's lock
  private boolean closed;

  /** Takes a codec over. */
  public SharedCodec(ChatTokenizer codec) {
    this.codec = codec;
  }

  private <T> T use(Function<ChatTokenizer, T> call) {
    synchronized (this) {
      if (closed) {
        throw new IllegalStateException("The model of this tokenizer was closed");
      }
      users++;
    }
    try {
      return call.apply(codec);
    } finally {
      if (isLast()) {
        codec.close();
      }
    }
  }

  private synchronized boolean isLast() {
    return --users == 0 && closed;
  }

  @Override
  public void close() {
    grammars.close();
    if (closesNow()) {
      codec.close();
    }
  }

  private synchronized boolean closesNow() {
    boolean now = !closed && users == 0;
    closed = true;
    return now;
  }

  @Override
  public int[] encode(String text, boolean bos) {
    return use(open -> open.encode(text, bos));
  }

  @Override
  public OptionalInt maxCharsPerToken() {
    return codec.maxCharsPerToken();
  }

  @Override
  public boolean beginsWithBos() {
    return codec.beginsWithBos();
  }

  @Override
  public String renderChat(Prompt.Chat chat) {
    return use(open -> open.renderChat(chat));
  }

  @Override
  public Rendered render(Prompt.Chat chat, Clock clock) {
    return use(open -> open.render(chat, clock));
  }

  @Override
  public Rendered render(Map<String, ? extends @Nullable Object> values, Clock clock) {
    return use(open -> open.render(values, clock));
  }

  @Override
  public boolean hasChatTemplate() {
    return codec.hasChatTemplate();
  }

  @Override
  public String chatTemplate() {
    return codec.chatTemplate();
  }

  @Override
  public Detokenizer detokenizer() {
    return codec.detokenizer();
  }

  @Override
  public String decode(int[] tokens) {
    return codec.decode(tokens);
  }

  @Override
  public Set<Integer> endTokens() {
    return codec.endTokens();
  }

  @Override
  public TokenMatcher match(Constraint constraint) {
    return grammars.match(constraint);
  }

  @Override
  public void forgetTexts() {
    codec.forgetTexts();
  }
}
