package dev.semantic.formats;

import dev.semantic.generate.Tool;
import dev.semantic.spi.AnswerFormat;
import dev.semantic.spi.AnswerParser;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * gpt-oss: an answer is messages in channels, {@code <|channel|>analysis<|message|>…<|end|>}: what
 * is thought; {@code commentary to=functions.name …<|message|>{…}<|call|>}: a call; all else is
 * said.
 */
final class Harmony implements AnswerFormat {
  private static final String START = "<|start|>";
  private static final String CHANNEL = "<|channel|>";
  private static final String MESSAGE = "<|message|>";
  private static final String CALL = "<|call|>";
  private static final List<String> ENDS = List.of("<|end|>", "<|return|>", CALL);
  private static final Pattern TO = Pattern.compile("to=functions\\.([\\w.-]+)");
  private static final int LONGEST_HEAD = 400;

  @Override
  public String name() {
    return "harmony";
  }

  @Override
  public boolean matches(String template) {
    return template.contains(CHANNEL) && template.contains(MESSAGE);
  }

  @Override
  public Set<String> markers() {
    return Set.of(START, CHANNEL, MESSAGE, CALL, "<|end|>", "<|return|>", "<|constrain|>");
  }

  @Override
  public AnswerParser parser(List<Tool> tools, String promptEnd) {
    return new Parser(!tools.isEmpty());
  }

  @Override
  public Optional<CallSyntax> callSyntax(String tool, String template) {
    return Optional.of(
        new CallSyntax(
            CHANNEL + "commentary to=",
            CHANNEL + "commentary to=functions." + tool + " <|constrain|>json" + MESSAGE,
            CALL));
  }

  private static final class Parser extends TaggedParser {
    private final boolean calls;

    Parser(boolean calls) {
      super("\0", "\0", "");
      this.calls = calls;
      become(this::says);
    }

    /** Between messages. */
    @Override
    boolean says() {
      return words(
          List.of(START, CHANNEL, "<|end|>", "<|return|>", CALL),
          tag -> {
            if (ENDS.contains(tag)) {
              skip(tag.length());
              apart();
            } else {
              mark();
              become(this::head);
            }
          });
    }

    /** Who speaks, where, to whom. */
    private boolean head() {
      Found found = find(List.of(MESSAGE));
      if (found.tag() == null && found.length() <= LONGEST_HEAD) {
        return false;
      }
      if (found.tag() == null) {
        skip(LONGEST_HEAD);
        broken("no message begins");
        become(this::says);
        return true;
      }
      String head = take(found.length());
      skip(MESSAGE.length());
      Matcher to = TO.matcher(head);
      if (calls && to.find()) {
        out().callBegun("", to.group(1));
        become(arguments(closedBy(ENDS, this::says)));
      } else {
        forget();
        boolean thought = head.contains(CHANNEL + "analysis");
        if (thought) {
          thinkAgain();
        } else {
          apart();
        }
        become(thought ? this::thought : this::said);
      }
      return true;
    }

    private boolean thought() {
      return message(true);
    }

    private boolean said() {
      return message(false);
    }

    private boolean message(boolean thought) {
      Found found = find(List.of("<|end|>", "<|return|>", CALL, START, CHANNEL));
      if (found.length() > 0) {
        String more = take(found.length());
        if (thought) {
          think(more);
        } else {
          say(more);
        }
      }
      if (found.tag() == null) {
        return false;
      }
      skip(ENDS.contains(found.tag()) ? found.tag().length() : 0);
      become(this::between);
      return true;
    }

    /** Blanks between two messages are nobody's. */
    private boolean between() {
      if (skipBlanks()) {
        return false;
      }
      become(this::says);
      return true;
    }
  }
}
