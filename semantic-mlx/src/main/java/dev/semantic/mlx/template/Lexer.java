package dev.semantic.mlx.template;

import dev.semantic.mlx.template.Token.Kind;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** Cuts a template into tokens; white space around tags is dealt with here and nowhere else. */
final class Lexer {
  private static final List<String> OPERATORS =
      List.of(
          "**", "//", "==", "!=", "<=", ">=", "+", "-", "*", "/", "%", "~", "<", ">", "=", ".", ",",
          ":", "|", "(", ")", "[", "]", "{", "}", ";");

  private final String source;
  private final int[] lineStarts;
  private final List<Token> tokens = new ArrayList<>();
  private int at;
  private boolean trimNext; // "-" at the end of the last tag
  private boolean dropNewline; // trim_blocks

  private Lexer(String source) {
    this.source = source;
    this.lineStarts = lineStarts(source);
  }

  static List<Token> tokens(String template) {
    String unix = template.replace("\r\n", "\n").replace('\r', '\n');
    return new Lexer(unix.endsWith("\n") ? unix.substring(0, unix.length() - 1) : unix).run();
  }

  private List<Token> run() {
    while (at < source.length()) {
      int tag = nextTag(at);
      text(at, tag);
      at = tag;
      if (tag < source.length()) {
        tag(tag);
      }
    }
    tokens.add(new Token(Kind.END, "end of template", position(source.length())));
    return tokens;
  }

  private int nextTag(int from) {
    for (int i = source.indexOf('{', from); i >= 0; i = source.indexOf('{', i + 1)) {
      if (i + 1 < source.length() && "{%#".indexOf(source.charAt(i + 1)) >= 0) {
        return i;
      }
    }
    return source.length();
  }

  /** Plain text up to a tag, without the white space that tags around it take away. */
  private void text(int from, int to) {
    String text = source.substring(from, to);
    if (trimNext) {
      text = text.stripLeading();
    } else if (dropNewline && text.startsWith("\n")) {
      text = text.substring(1);
    }
    boolean whole = text.length() == to - from;
    trimNext = false;
    dropNewline = false;
    if (to < source.length()) {
      char kind = source.charAt(to + 1);
      char sign = to + 2 < source.length() ? source.charAt(to + 2) : ' ';
      if (sign == '-') {
        text = text.stripTrailing();
      } else if (sign != '+' && kind != '{') {
        text = withoutIndent(text, from, whole);
      }
    }
    if (!text.isEmpty()) {
      tokens.add(new Token(Kind.TEXT, text, position(from)));
    }
  }

  /** lstrip_blocks: white space between the line's start and a tag goes. */
  private String withoutIndent(String text, int from, boolean whole) {
    int end = text.length();
    while (end > 0 && (text.charAt(end - 1) == ' ' || text.charAt(end - 1) == '\t')) {
      end--;
    }
    boolean lineStart =
        end > 0
            ? text.charAt(end - 1) == '\n'
            : from == 0 || !whole || source.charAt(from - 1) == '\n';
    return lineStart ? text.substring(0, end) : text;
  }

  private void tag(int begin) {
    switch (source.charAt(begin + 1)) {
      case '#' -> comment(begin);
      case '%' -> {
        if (!raw(begin)) {
          inside(begin, "%}", Kind.BLOCK_BEGIN, Kind.BLOCK_END);
        }
      }
      default -> inside(begin, "}}", Kind.PRINT_BEGIN, Kind.PRINT_END);
    }
  }

  private void comment(int begin) {
    int end = source.indexOf("#}", begin + 2);
    if (end < 0) {
      throw new TemplateException(position(begin), "A comment does not end");
    }
    trimNext = source.charAt(end - 1) == '-' && end - 1 > begin + 1;
    dropNewline = true;
    at = end + 2;
  }

  /** Takes a raw block whole: what is in it is text. */
  private boolean raw(int begin) {
    String rest = source.substring(begin);
    var open = java.util.regex.Pattern.compile("\\{%[-+]?\\s*raw\\s*(-?)%\\}").matcher(rest);
    if (!open.lookingAt()) {
      return false;
    }
    var close = java.util.regex.Pattern.compile("\\{%(-?)\\+?\\s*endraw\\s*(-?)%\\}").matcher(rest);
    if (!close.find(open.end())) {
      throw new TemplateException(position(begin), "A raw block does not end");
    }
    String text = rest.substring(open.end(), close.start());
    if (!open.group(1).isEmpty()) {
      text = text.stripLeading();
    }
    if (!close.group(1).isEmpty()) {
      text = text.stripTrailing();
    }
    tokens.add(new Token(Kind.TEXT, text, position(begin)));
    trimNext = !close.group(2).isEmpty();
    dropNewline = true;
    at = begin + close.end();
    return true;
  }

  private void inside(int begin, String closing, Kind opens, Kind closes) {
    tokens.add(new Token(opens, source.substring(begin, begin + 2), position(begin)));
    at = begin + 2;
    if (at < source.length() && (source.charAt(at) == '-' || source.charAt(at) == '+')) {
      at++;
    }
    int depth = 0;
    while (true) {
      skipSpace();
      if (at >= source.length()) {
        throw new TemplateException(position(begin), "A tag does not end");
      }
      boolean trims = source.startsWith("-" + closing, at);
      if (depth == 0 && (trims || source.startsWith(closing, at))) {
        tokens.add(new Token(closes, closing, position(at)));
        at += closing.length() + (trims ? 1 : 0);
        trimNext = trims;
        dropNewline = closes == Kind.BLOCK_END;
        return;
      }
      if (depth == 0 && closes == Kind.BLOCK_END && source.startsWith("+" + closing, at)) {
        tokens.add(new Token(closes, closing, position(at)));
        at += closing.length() + 1;
        return;
      }
      depth += token();
    }
  }

  private void skipSpace() {
    while (at < source.length() && Character.isWhitespace(source.charAt(at))) {
      at++;
    }
  }

  /** Reads one token; returns by how much brackets go deeper. */
  private int token() {
    char c = source.charAt(at);
    if (c == '\'' || c == '"') {
      string(c);
    } else if (Character.isDigit(c)) {
      number();
    } else if (Character.isLetter(c) || c == '_') {
      int from = at;
      while (at < source.length()
          && (Character.isLetterOrDigit(source.charAt(at)) || source.charAt(at) == '_')) {
        at++;
      }
      tokens.add(new Token(Kind.NAME, source.substring(from, at), position(from)));
    } else {
      return operator();
    }
    return 0;
  }

  private int operator() {
    for (String operator : OPERATORS) {
      if (source.startsWith(operator, at)) {
        tokens.add(new Token(Kind.OPERATOR, operator, position(at)));
        at += operator.length();
        return "([{".contains(operator) ? 1 : ")]}".contains(operator) ? -1 : 0;
      }
    }
    throw new TemplateException(position(at), "Unexpected character '" + source.charAt(at) + "'");
  }

  private void number() {
    int from = at;
    var matcher =
        java.util.regex.Pattern.compile("\\d[\\d_]*(\\.\\d[\\d_]*)?([eE][+-]?\\d+)?")
            .matcher(source);
    matcher.region(at, source.length());
    if (!matcher.lookingAt()) {
      throw new TemplateException(position(at), "Not a number");
    }
    boolean whole = matcher.group(1) == null && matcher.group(2) == null;
    at = matcher.end();
    String digits = source.substring(from, at).replace("_", "");
    tokens.add(new Token(whole ? Kind.INTEGER : Kind.FLOAT, digits, position(from)));
  }

  private void string(char quote) {
    int from = at++;
    StringBuilder text = new StringBuilder();
    while (at < source.length() && source.charAt(at) != quote) {
      char c = source.charAt(at++);
      if (c == '\\' && at < source.length()) {
        try {
          at = Escapes.append(source, at, text);
        } catch (TemplateException e) {
          throw e.placed(position(at - 1));
        }
      } else {
        text.append(c);
      }
    }
    if (at >= source.length()) {
      throw new TemplateException(position(from), "A string does not end");
    }
    at++;
    tokens.add(new Token(Kind.STRING, text.toString(), position(from)));
  }

  private Position position(int offset) {
    int found = Arrays.binarySearch(lineStarts, offset);
    int line = found < 0 ? -found - 2 : found;
    return new Position(line + 1, offset - lineStarts[line] + 1);
  }

  private static int[] lineStarts(String source) {
    return IntStream.concat(
            IntStream.of(0),
            IntStream.range(0, source.length())
                .filter(i -> source.charAt(i) == '\n')
                .map(i -> i + 1))
        .toArray();
  }
}
