package dev.semantic.mlx.template;

import dev.semantic.mlx.template.Token.Kind;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/** Cuts a template into tokens; white space around tags is dealt with here and nowhere else. */
final class Lexer {
  private static final List<String> OPERATORS =
      List.of(
          "**", "//", "==", "!=", "<=", ">=", "+", "-", "*", "/", "%", "~", "<", ">", "=", ".", ",",
          ":", "|", "(", ")", "[", "]", "{", "}", ";");
  private static final Pattern RAW = Pattern.compile("\\{%([-+]?)\\s*raw\\s*(-?)%\\}");
  private static final Pattern END_OF_RAW = Pattern.compile("\\{%([-+]?)\\s*endraw\\s*([-+]?)%\\}");
  private static final Pattern FLOAT =
      Pattern.compile("(\\d+_)*\\d+((\\.(\\d+_)*\\d+)?[eE][+-]?(\\d+_)*\\d+|\\.(\\d+_)*\\d+)");
  private static final Pattern INTEGER =
      Pattern.compile("0[bB](_?[01])+|0[oO](_?[0-7])+|0[xX](_?[0-9a-fA-F])+|[1-9](_?\\d)*|0(_?0)*");

  private final String source;
  private final int[] lineStarts;
  private final List<Token> tokens = new ArrayList<>();
  private final Map<String, String> names = new HashMap<>();
  private final Deque<Character> open = new ArrayDeque<>();
  private int at;

  private Lexer(String source) {
    this.source = source;
    this.lineStarts = lineStarts(source);
  }

  static List<Token> tokens(String template) {
    Budget.text(template.length());
    Budget.look(4L * template.length());
    String unix = template.replace("\r\n", "\n").replace('\r', '\n');
    return new Lexer(unix.endsWith("\n") ? unix.substring(0, unix.length() - 1) : unix).run();
  }

  /** A token, and what the parser will make of it. */
  private static Token token(Token.Kind kind, String text, Position at) {
    Budget.hold(48);
    Budget.look(64);
    return new Token(kind, text, at);
  }

  private static String counted(String name) {
    Budget.text(name.length());
    return name;
  }

  private List<Token> run() {
    while (at < source.length()) {
      int tag = nextTag(at);
      if (tag == source.length()) {
        text(at, tag);
        at = tag;
        break;
      }
      boolean strippable = source.charAt(tag + 1) != '{';
      text(at, beforeTag(at, tag, sign(tag + 2), strippable));
      at = tag;
      tag(tag);
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

  private char sign(int index) {
    char c = index < source.length() ? source.charAt(index) : ' ';
    return c == '-' || c == '+' ? c : ' ';
  }

  private void text(int from, int to) {
    if (to > from) {
      Budget.text(to - from);
      tokens.add(token(Kind.TEXT, source.substring(from, to), position(from)));
    }
  }

  /**
   * Where the text before a tag ends: {@code -} takes all white space away, and without a sign
   * lstrip_blocks takes what stands between the line's start and the tag.
   */
  private int beforeTag(int from, int tag, char sign, boolean strippable) {
    int end = tag;
    while (end > from && PythonText.isSpace(source.charAt(end - 1))) {
      end--;
    }
    if (sign == '-') {
      return end;
    }
    if (sign == '+' || !strippable) {
      return tag;
    }
    int newline = tag - 1; // looked for no further back: a template may be one long line
    while (newline >= from && source.charAt(newline) != '\n') {
      newline--;
    }
    if (newline < from && from > 0 && source.charAt(from - 1) != '\n') {
      return tag;
    }
    int line = Math.max(newline + 1, from);
    return end <= line ? line : tag;
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
    int from = begin + 2 + (sign(begin + 2) == ' ' ? 0 : 1);
    int end = source.indexOf("#}", from);
    if (end < 0) {
      throw new TemplateException(position(begin), "A comment does not end");
    }
    at = end + 2;
    afterTag(end > from ? sign(end - 1) : ' ', true);
  }

  /** Leaves out what the end of a tag takes away: all white space, or trim_blocks' one newline. */
  private void afterTag(char sign, boolean trims) {
    if (sign == '-') {
      skipSpace();
    } else if (sign != '+' && trims && at < source.length() && source.charAt(at) == '\n') {
      at++;
    }
  }

  /** Takes a raw block whole: what is in it is text. */
  private boolean raw(int begin) {
    Matcher opening = RAW.matcher(source).region(begin, source.length());
    if (!opening.lookingAt()) {
      return false;
    }
    at = opening.end();
    afterTag(opening.group(2).isEmpty() ? ' ' : '-', false);
    Matcher closing = END_OF_RAW.matcher(source);
    if (!closing.find(at)) {
      throw new TemplateException(position(begin), "A raw block does not end");
    }
    text(at, beforeTag(at, closing.start(), first(closing.group(1)), true));
    at = closing.end();
    afterTag(first(closing.group(2)), true);
    return true;
  }

  private static char first(String sign) {
    return sign.isEmpty() ? ' ' : sign.charAt(0);
  }

  private void inside(int begin, String closing, Kind opens, Kind closes) {
    tokens.add(token(opens, opens == Kind.BLOCK_BEGIN ? "{%" : "{{", position(begin)));
    at = begin + 2 + (sign(begin + 2) == ' ' ? 0 : 1);
    open.clear();
    while (true) {
      skipSpace();
      if (at >= source.length()) {
        throw new TemplateException(position(begin), "A tag does not end");
      }
      char sign = sign(at);
      boolean signed = sign == '-' || (sign == '+' && closes == Kind.BLOCK_END);
      int end = signed ? at + 1 : at;
      if (open.isEmpty() && source.startsWith(closing, end)) {
        tokens.add(token(closes, closing, position(at)));
        at = end + closing.length();
        afterTag(signed ? sign : ' ', closes == Kind.BLOCK_END);
        return;
      }
      token();
    }
  }

  private void skipSpace() {
    while (at < source.length() && PythonText.isSpace(source.charAt(at))) {
      at++;
    }
  }

  private void token() {
    char c = source.charAt(at);
    if (c == '\'' || c == '"') {
      string(c);
    } else if (c >= '0' && c <= '9') {
      number();
    } else if (Character.isUnicodeIdentifierStart(source.codePointAt(at)) || c == '_') {
      int from = at;
      while (at < source.length() && isPartOfName(source.codePointAt(at))) {
        at += Character.charCount(source.codePointAt(at));
      }
      String name = source.substring(from, at);
      tokens.add(token(Kind.NAME, names.computeIfAbsent(name, Lexer::counted), position(from)));
    } else {
      operator();
    }
  }

  private static boolean isPartOfName(int c) {
    return Character.isUnicodeIdentifierPart(c) && !Character.isIdentifierIgnorable(c);
  }

  private void operator() {
    for (String operator : OPERATORS) {
      if (source.startsWith(operator, at)) {
        balance(operator);
        tokens.add(token(Kind.OPERATOR, operator, position(at)));
        at += operator.length();
        return;
      }
    }
    throw new TemplateException(
        position(at), "Unexpected character '" + Character.toString(source.codePointAt(at)) + "'");
  }

  private void balance(String operator) {
    switch (operator) {
      case "(" -> open.push(')');
      case "[" -> open.push(']');
      case "{" -> open.push('}');
      case ")", "]", "}" -> {
        if (open.isEmpty() || open.pop() != operator.charAt(0)) {
          throw new TemplateException(position(at), "Unexpected '" + operator + "'");
        }
      }
      default -> {}
    }
  }

  private void number() {
    int from = at;
    // after a dot, "0.1" is the member 0 and its member 1
    boolean member = at > 0 && source.charAt(at - 1) == '.';
    Matcher decimal = FLOAT.matcher(source).region(at, source.length());
    if (!member && decimal.lookingAt()) {
      at = decimal.end();
      tokens.add(token(Kind.FLOAT, digits(from), position(from)));
      return;
    }
    Matcher whole = INTEGER.matcher(source).region(at, source.length());
    if (!whole.lookingAt()) {
      throw new TemplateException(position(at), "Not a number");
    }
    at = whole.end();
    tokens.add(token(Kind.INTEGER, digits(from), position(from)));
  }

  private String digits(int from) {
    return source.substring(from, at).replace("_", "");
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
    Budget.text(text.length());
    tokens.add(token(Kind.STRING, text.toString(), position(from)));
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
