package dev.semantic.scripted;

import dev.semantic.generate.ChatMessage;
import dev.semantic.generate.Constraint;
import dev.semantic.generate.Prompt;
import dev.semantic.spi.Detokenizer;
import dev.semantic.spi.TokenMatcher;
import dev.semantic.spi.Tokenizer;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.BitSet;
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

  /** Tools are told by their names; there are no variables. */
  @Override
  public int[] encodeChat(Prompt.Chat chat) {
    return encode(renderChat(chat), model.beginsWithBos());
  }

  @Override
  public String renderChat(Prompt.Chat chat) {
    String tools =
        chat.tools().stream()
            .map(tool -> "tool " + tool.name() + "\n")
            .collect(Collectors.joining());
    return tools + renderChat(chat.messages());
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
  public Detokenizer detokenizer() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    int[] ends = new int[Geometry.VOCABULARY];
    BitSet special = new BitSet();
    for (int token = 0; token < ends.length; token++) {
      if (token >= model.firstByteToken() && token < model.firstByteToken() + 256) {
        bytes.write(token - model.firstByteToken());
      } else {
        special.set(token);
        bytes.writeBytes(("<" + token + ">").getBytes(StandardCharsets.UTF_8));
      }
      ends[token] = bytes.size();
    }
    return new Detokenizer(bytes.toByteArray(), ends, special, false);
  }

  @Override
  public TokenStream stream(boolean keepSpecial) {
    return new Stream(detokenizer().stream(keepSpecial));
  }

  @Override
  public Set<Integer> endTokens() {
    return Set.of(Geometry.END);
  }

  @Override
  public TokenMatcher match(Constraint constraint) {
    return new ScriptedMatcher(model, script, constraint);
  }

  @Override
  public void forgetTexts() {
    script.textsForgotten();
  }

  private final class Stream implements TokenStream {
    private final TokenStream stream;

    private Stream(TokenStream stream) {
      this.stream = stream;
    }

    @Override
    public String next(int token) {
      script.visit(PortCall.STREAM_NEXT);
      return stream.next(token);
    }

    @Override
    public String rest() {
      script.visit(PortCall.STREAM_REST);
      return stream.rest();
    }
  }
}
