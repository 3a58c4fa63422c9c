package dev.semantic.mlx.template;

import dev.semantic.mlx.template.Token.Kind;
import java.util.List;

/** Goes through tokens from first to last. */
final class TokenReader {
  private final List<Token> tokens;
  private int index;

  TokenReader(List<Token> tokens) {
    this.tokens = tokens;
  }

  Token peek() {
    return tokens.get(index);
  }

  Token peekSecond() {
    return tokens.get(Math.min(index + 1, tokens.size() - 1));
  }

  Token next() {
    Token token = peek();
    if (token.kind() != Kind.END) {
      index++;
    }
    return token;
  }

  boolean atEndOfTag() {
    Kind kind = peek().kind();
    return kind == Kind.BLOCK_END || kind == Kind.PRINT_END || kind == Kind.END;
  }

  boolean accept(String operator) {
    boolean found = peek().isOperator(operator);
    if (found) {
      next();
    }
    return found;
  }

  boolean acceptName(String name) {
    boolean found = peek().isName(name);
    if (found) {
      next();
    }
    return found;
  }

  void expect(String operator) {
    if (!accept(operator)) {
      throw new TemplateException(
          peek().at(), "Expected '%s', found '%s'".formatted(operator, peek().text()));
    }
  }

  void expect(Kind kind) {
    if (peek().kind() != kind) {
      throw new TemplateException(
          peek().at(), "Expected the end of the tag, found '%s'".formatted(peek().text()));
    }
    next();
  }

  Token expectName() {
    if (peek().kind() != Kind.NAME) {
      throw new TemplateException(
          peek().at(), "Expected a name, found '%s'".formatted(peek().text()));
    }
    return next();
  }
}
