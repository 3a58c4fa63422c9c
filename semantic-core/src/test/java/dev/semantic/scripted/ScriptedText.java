package dev.semantic.scripted;

import dev.semantic.generate.ChatMessage;
import dev.semantic.spi.Tokenizer;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;

/** One token a byte of UTF-8. */
final class ScriptedText implements Tokenizer {
  private final Geometry model;
  private final Script script;
  private final boolean template;

  ScriptedText(Geometry model, Script script, boolean template) {
    this.template = template;
    this.model = model;
    this.script = script;
  }

  @Override
  public int[] encode(String text, boolean bos) {
    script.visit(PortCall.ENCODE);
    return model.tokens(text, bos);
  }

  @Override
  public OptionalInt maxCharsPerToken() {
    return OptionalInt.of(1);
  }

  @Override
  public boolean beginsWithBos() {
    return model.beginsWithBos();
  }

  @Override
  public int[] encodeChat(List<ChatMessage> messages) {
    return encode(renderChat(messages), model.beginsWithBos());
  }

  @Override
  public String renderChat(List<ChatMessage> messages) {
    return messages.stream()
        .map(message -> message.role() + ": " + message.content() + "\n")
        .collect(Collectors.joining());
  }

  @Override
  public boolean hasChatTemplate() {
    return template;
  }

  @Override
  public String decode(int[] tokens) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (int token : tokens) {
      if (isByte(token)) {
        bytes.write(token - model.firstByteToken());
      }
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }

  private boolean isByte(int token) {
    return token >= model.firstByteToken() && token < model.firstByteToken() + 256;
  }

  @Override
  public TokenStream stream(boolean keepSpecial) {
    return new Stream(keepSpecial);
  }

  @Override
  public Set<Integer> endTokens() {
    return Set.of(Geometry.END);
  }

  @Override
  public void forgetTexts() {
    script.textsForgotten();
  }

  private final class Stream implements TokenStream {
    private final boolean keepSpecial;
    private final ByteArrayOutputStream held = new ByteArrayOutputStream();

    private Stream(boolean keepSpecial) {
      this.keepSpecial = keepSpecial;
    }

    @Override
    public String next(int token) {
      script.visit(PortCall.STREAM_NEXT);
      if (!isByte(token)) {
        return keepSpecial ? take() + "<" + token + ">" : "";
      }
      held.write(token - model.firstByteToken());
      return isWhole(held.toByteArray()) ? take() : "";
    }

    @Override
    public String rest() {
      script.visit(PortCall.STREAM_REST);
      return take();
    }

    private String take() {
      String text = held.toString(StandardCharsets.UTF_8);
      held.reset();
      return text;
    }

    private static boolean isWhole(byte[] bytes) {
      int expected = 1;
      for (int i = 0; i < bytes.length; i += expected) {
        int lead = bytes[i] & 0xff;
        expected = lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
        if (i + expected > bytes.length) {
          return false;
        }
      }
      return true;
    }
  }
}
