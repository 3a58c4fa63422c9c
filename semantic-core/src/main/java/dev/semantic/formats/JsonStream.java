package dev.semantic.formats;

import java.util.regex.Pattern;

/**
 * Follows one JSON value, character by character, as strictly as its grammar is; only line ends and
 * their like in a text, which models write as they are, it lets through escaped.
 */
final class JsonStream {
  /** Deeper values are not followed. */
  private static final int DEEPEST = 200;

  private static final Pattern NUMBER =
      Pattern.compile("-?(0|[1-9]\\d*)(\\.\\d+)?([eE][+-]?\\d+)?");

  /** What may come next. */
  private enum Expect {
    VALUE,
    VALUE_OR_END,
    KEY,
    KEY_OR_END,
    COLON,
    COMMA_OR_END,
    NOTHING
  }

  private final StringBuilder open = new StringBuilder(); // brackets
  private final StringBuilder word = new StringBuilder(); // a number or true, false, null
  private Expect expect = Expect.VALUE;
  private boolean inText;
  private boolean textIsKey;
  private boolean escaped;
  private int digits; // of \\u that must come

  /** What became of a character. */
  enum Step {
    /** It belongs to the value. */
    INSIDE,
    /** It ends the value, and belongs to it. */
    LAST,
    /** The value ended before it: a number does. */
    BEHIND,
    /** This is no JSON. */
    WRONG
  }

  /** How many brackets are open. */
  int depth() {
    return open.length();
  }

  boolean inText() {
    return inText;
  }

  /** Whether the text that is being read, or was read last, is a member's name. */
  boolean isKey() {
    return textIsKey;
  }

  /** As it must be written in JSON. */
  String written(char c) {
    return inText && c < ' ' ? "\\u%04x".formatted((int) c) : String.valueOf(c);
  }

  Step accept(char c) {
    if (inText) {
      return text(c);
    }
    if (word.length() > 0) {
      return word(c);
    }
    if (c == ' ' || c == '\n' || c == '\r' || c == '\t') {
      return Step.INSIDE;
    }
    return switch (c) {
      case '{', '[' -> opens(c);
      case '}', ']' -> closes(c);
      case '"' -> quote();
      case ':' -> expect == Expect.COLON ? next(Expect.VALUE) : Step.WRONG;
      case ',' ->
          expect == Expect.COMMA_OR_END ? next(inObject() ? Expect.KEY : Expect.VALUE) : Step.WRONG;
      default -> begins(c);
    };
  }

  private boolean inObject() {
    return open.charAt(open.length() - 1) == '{';
  }

  private Step next(Expect what) {
    expect = what;
    return Step.INSIDE;
  }

  private boolean takesValue() {
    return expect == Expect.VALUE || expect == Expect.VALUE_OR_END;
  }

  private Step opens(char c) {
    if (!takesValue() || open.length() >= DEEPEST) {
      return Step.WRONG;
    }
    open.append(c);
    return next(c == '{' ? Expect.KEY_OR_END : Expect.VALUE_OR_END);
  }

  private Step closes(char c) {
    boolean may =
        open.length() > 0
            && inObject() == (c == '}')
            && (expect == Expect.COMMA_OR_END
                || expect == Expect.KEY_OR_END
                || expect == Expect.VALUE_OR_END);
    if (!may) {
      return Step.WRONG;
    }
    open.setLength(open.length() - 1);
    return ended();
  }

  private Step ended() {
    expect = open.isEmpty() ? Expect.NOTHING : Expect.COMMA_OR_END;
    return open.isEmpty() ? Step.LAST : Step.INSIDE;
  }

  private Step quote() {
    textIsKey = expect == Expect.KEY || expect == Expect.KEY_OR_END;
    if (!textIsKey && !takesValue()) {
      return Step.WRONG;
    }
    inText = true;
    return Step.INSIDE;
  }

  private Step text(char c) {
    if (digits > 0) {
      digits--;
      return Character.digit(c, 16) >= 0 && c < 128 ? Step.INSIDE : Step.WRONG;
    }
    if (escaped) {
      escaped = false;
      digits = c == 'u' ? 4 : 0;
      return "\"\\/bfnrtu".indexOf(c) >= 0 ? Step.INSIDE : Step.WRONG;
    }
    if (c == '\\') {
      escaped = true;
    } else if (c == '"') {
      inText = false;
      if (textIsKey) {
        return next(Expect.COLON);
      }
      return ended();
    }
    return Step.INSIDE;
  }

  private Step begins(char c) {
    if (!takesValue() || "-0123456789tfn".indexOf(c) < 0) {
      return Step.WRONG;
    }
    word.append(c);
    return Step.INSIDE;
  }

  private Step word(char c) {
    if ((Character.isLetterOrDigit(c) && c < 128) || c == '.' || c == '+' || c == '-') {
      word.append(c);
      return word.length() < 400 ? Step.INSIDE : Step.WRONG;
    }
    if (!isWord(word)) {
      return Step.WRONG;
    }
    word.setLength(0);
    if (ended() == Step.LAST) {
      return Step.BEHIND;
    }
    return accept(c);
  }

  private static boolean isWord(CharSequence word) {
    return switch (word.toString()) {
      case "true", "false", "null" -> true;
      default -> NUMBER.matcher(word).matches();
    };
  }
}
