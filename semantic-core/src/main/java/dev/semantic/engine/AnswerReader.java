package dev.semantic.engine;

import dev.semantic.generate.ChatMessage;
import dev.semantic.generate.ContentPart;
import dev.semantic.generate.GenerationEvent;
import dev.semantic.generate.Prompt;
import dev.semantic.generate.ToolCall;
import dev.semantic.generate.ToolChoice;
import dev.semantic.log.Log;
import dev.semantic.spi.AnswerFormat;
import dev.semantic.spi.AnswerParser;
import dev.semantic.spi.Detokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Takes the answer to a conversation apart while it comes: what is thought, what is said, which
 * tools are called. A parser that throws is not asked again; what it would have read is said.
 */
final class AnswerReader {
  private static final Log LOG = Log.of(AnswerReader.class);

  /** Of the prompt's end, which may open the model's thoughts. */
  private static final int END_TOKENS = 32;

  private final Detokenizer texts;
  private final Set<String> markers;
  private final long seed;
  private final Message message = new Message();
  private @Nullable AnswerParser parser;
  private Consumer<GenerationEvent> told = event -> {};

  /**
   * For one answer.
   *
   * @param prompt its tokens
   */
  AnswerReader(Prompt.Chat chat, int[] prompt, AnswerFormat format, Detokenizer texts) {
    boolean calls = !chat.choice().equals(ToolChoice.NONE);
    this.texts = texts;
    this.markers = format.markers();
    this.seed = Arrays.hashCode(prompt);
    this.parser = format.parser(calls ? chat.tools() : List.of(), end(prompt, texts));
  }

  /** How a prompt ends, as it is written. */
  static String end(int[] prompt, Detokenizer texts) {
    StringBuilder end = new StringBuilder();
    for (int i = Math.max(0, prompt.length - END_TOKENS); i < prompt.length; i++) {
      end.append(written(prompt[i], texts));
    }
    return end.toString();
  }

  private static String written(int token, Detokenizer texts) {
    return texts.stream(true).next(token);
  }

  /** What a special token is written as that the answer is made of; else nothing. */
  String marker(int token) {
    String written = written(token, texts);
    return markers.contains(written) ? written : "";
  }

  /** More of the answer. */
  void accept(String more, Consumer<GenerationEvent> out) {
    if (!more.isEmpty()) {
      read(parser -> parser.accept(more, message), more, out);
    }
  }

  /** That was all. */
  void end(Consumer<GenerationEvent> out) {
    read(parser -> parser.end(message), "", out);
    parser = null;
  }

  private void read(Consumer<AnswerParser> step, String more, Consumer<GenerationEvent> out) {
    told = out;
    AnswerParser present = parser;
    try {
      if (present != null) {
        step.accept(present);
      } else if (!more.isEmpty()) {
        message.text(more);
      }
    } catch (RuntimeException e) {
      LOG.warn("An answer's format could not be read; what it says is text from here on", e);
      parser = null;
      message.brokenCall(more, "the parser failed");
    } finally {
      told = event -> {};
    }
  }

  /** What the assistant has said by now. */
  ChatMessage message() {
    return new ChatMessage(
        "assistant",
        List.of(new ContentPart.Text(message.content.toString())),
        message.reasoning.toString(),
        message.calls,
        Optional.empty(),
        Map.of());
  }

  /** Puts the message together, and tells it. */
  private final class Message implements AnswerParser.Sink {
    private final StringBuilder content = new StringBuilder();
    private final StringBuilder reasoning = new StringBuilder();
    private final List<ToolCall> calls = new ArrayList<>();
    private final StringBuilder arguments = new StringBuilder();
    private int begun; // so many calls were
    private String id = "";
    private String name = "";

    @Override
    public void reasoning(String text) {
      reasoning.append(text);
      told.accept(new GenerationEvent.Reasoning(text));
    }

    @Override
    public void text(String text) {
      content.append(text);
      told.accept(new GenerationEvent.Text(text));
    }

    @Override
    public void callBegun(String its, String called) {
      boolean known = its.isBlank() || calls.stream().anyMatch(call -> call.id().equals(its));
      id = known ? made(begun) : its;
      name = called;
      arguments.setLength(0);
      told.accept(new GenerationEvent.CallBegun(begun++, id, name));
    }

    /** Nine letters and digits, which all templates take; another one for each prompt. */
    private String made(int number) {
      long mixed = (seed * 31 + number + 1) * 0x9E3779B97F4A7C15L;
      String digits = Long.toString((mixed >>> 8) + (1L << 56), 36);
      return digits.substring(digits.length() - 9);
    }

    @Override
    public void callArguments(String json) {
      arguments.append(json);
      told.accept(new GenerationEvent.CallArguments(begun - 1, json));
    }

    @Override
    public void callComplete() {
      ToolCall call;
      try {
        call = new ToolCall(id, name, arguments.toString());
      } catch (IllegalArgumentException e) {
        brokenCall(arguments.toString(), String.valueOf(e.getMessage()));
        return;
      }
      calls.add(call);
      told.accept(new GenerationEvent.CallComplete(begun - 1, call));
    }

    @Override
    public void brokenCall(String text, String reason) {
      content.append(text);
      told.accept(new GenerationEvent.BrokenCall(text, reason));
    }
  }
}
