package dev.semantic.mlx.template;

import dev.semantic.mlx.template.Token.Kind;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Parses a template's statements. */
final class Parser {
  private static final int DEEPEST = 100;

  private final TokenReader in;
  private final ExpressionParser expressions;
  private int depth;

  private Parser(List<Token> tokens) {
    this.in = new TokenReader(tokens);
    this.expressions = new ExpressionParser(in);
  }

  static List<Node> parse(String template) {
    Parser parser = new Parser(Lexer.tokens(template));
    List<Node> nodes = parser.until(Set.of());
    if (parser.in.peek().kind() != Kind.END) {
      Token token = parser.in.peekSecond();
      throw new TemplateException(
          token.at(), "Nothing was opened that '" + token.text() + "' could end");
    }
    return nodes;
  }

  /** Nodes up to a tag of one of these names, which is left to be read. */
  private List<Node> until(Set<String> names) {
    if (++depth > DEEPEST) {
      throw new TemplateException(in.peek().at(), "Blocks nested too deeply");
    }
    List<Node> nodes = new ArrayList<>();
    while (true) {
      Token token = in.peek();
      switch (token.kind()) {
        case TEXT -> nodes.add(new Node.Text(in.next().text()));
        case PRINT_BEGIN -> {
          in.next();
          nodes.add(new Node.Print(expressions.parseTuple()));
          in.expect(Kind.PRINT_END);
        }
        case BLOCK_BEGIN -> {
          String name = in.peekSecond().text();
          if (names.contains(name) || isEnd(name)) {
            depth--;
            return nodes;
          }
          in.next();
          nodes.add(statement());
        }
        default -> {
          if (!names.isEmpty()) {
            throw new TemplateException(
                token.at(), "The template ends where one of " + names + " is missing");
          }
          depth--;
          return nodes;
        }
      }
    }
  }

  private static boolean isEnd(String name) {
    return name.startsWith("end") || Set.of("elif", "else").contains(name);
  }

  private Node statement() {
    Token name = in.expectName();
    return switch (name.text()) {
      case "if" -> ifBlock();
      case "for" -> forLoop(name.at());
      case "set" -> set(name.at());
      case "macro" -> macro(name.at());
      case "call" -> callBlock(name.at());
      case "filter" -> filterBlock();
      case "with" -> with();
      case "generation" -> {
        endOfTag();
        yield new Node.With(Map.of(), body("endgeneration"));
      }
      case "do" -> {
        Expr value = expressions.parseTuple();
        endOfTag();
        yield new Node.Do(value);
      }
      case "break" -> {
        endOfTag();
        yield new Node.Break();
      }
      case "continue" -> {
        endOfTag();
        yield new Node.Continue();
      }
      default ->
          throw new TemplateException(
              name.at(), "The tag '" + name.text() + "' is not one that chat templates use");
    };
  }

  private void endOfTag() {
    in.expect(Kind.BLOCK_END);
  }

  private List<Node> body(String end) {
    List<Node> nodes = until(Set.of(end));
    close(end);
    return nodes;
  }

  private void close(String end) {
    in.expect(Kind.BLOCK_BEGIN);
    Token found = in.expectName();
    if (!found.text().equals(end)) {
      throw new TemplateException(
          found.at(), "Expected '%s', found '%s'".formatted(end, found.text()));
    }
    endOfTag();
  }

  private Node ifBlock() {
    List<Map.Entry<Expr, List<Node>>> branches = new ArrayList<>();
    List<Node> otherwise = List.of();
    Expr condition = expressions.parseTuple();
    endOfTag();
    while (true) {
      List<Node> nodes = until(Set.of("elif", "else", "endif"));
      branches.add(Map.entry(condition, nodes));
      in.next();
      Token tag = in.expectName();
      if (tag.isName("elif")) {
        condition = expressions.parseTuple();
        endOfTag();
        continue;
      }
      if (tag.isName("else")) {
        endOfTag();
        otherwise = body("endif");
      } else if (tag.isName("endif")) {
        endOfTag();
      } else {
        throw new TemplateException(tag.at(), "Expected 'endif', found '" + tag.text() + "'");
      }
      return new Node.If(branches, otherwise);
    }
  }

  private Node forLoop(Position at) {
    List<String> targets = new ArrayList<>();
    boolean parenthesised = in.accept("(");
    do {
      targets.add(in.expectName().text());
    } while (in.accept(",") && !in.peek().isName("in"));
    if (parenthesised) {
      in.expect(")");
    }
    if (!in.acceptName("in")) {
      throw new TemplateException(in.peek().at(), "Expected 'in' after the loop's variable");
    }
    Expr items = loopItems();
    Expr filter = in.acceptName("if") ? expressions.parse() : null;
    boolean recursive = in.acceptName("recursive");
    endOfTag();
    List<Node> body = until(Set.of("else", "endfor"));
    List<Node> otherwise = List.of();
    if (in.peekSecond().isName("else")) {
      close("else");
      otherwise = until(Set.of("endfor"));
    }
    close("endfor");
    return new Node.For(at, targets, items, filter, recursive, body, otherwise);
  }

  private Expr loopItems() {
    Expr first = expressions.parse(false);
    if (!in.peek().isOperator(",")) {
      return first;
    }
    List<Expr> items = new ArrayList<>(List.of(first));
    while (in.accept(",")) {
      items.add(expressions.parse(false));
    }
    return new Expr.ListOf(first.at(), items);
  }

  private Node set(Position at) {
    List<Expr> targets = new ArrayList<>();
    do {
      targets.add(target());
    } while (in.accept(","));
    if (in.accept("=")) {
      Expr value = expressions.parseTuple();
      endOfTag();
      return new Node.Assign(at, targets, value);
    }
    List<Expr.Filter> filters = filterChain();
    endOfTag();
    return new Node.Capture(targets.getFirst(), body("endset"), filters);
  }

  private Expr target() {
    Token name = in.expectName();
    Expr target = new Expr.Name(name.at(), name.text());
    return in.accept(".") ? new Expr.Attribute(name.at(), target, in.expectName().text()) : target;
  }

  private List<Expr.Filter> filterChain() {
    List<Expr.Filter> filters = new ArrayList<>();
    while (in.accept("|")) {
      filters.add(expressions.filter(new Expr.Literal(in.peek().at(), "")));
    }
    return filters;
  }

  private List<Node.Parameter> parameters() {
    List<Node.Parameter> parameters = new ArrayList<>();
    in.expect("(");
    while (!in.accept(")")) {
      String name = in.expectName().text();
      parameters.add(new Node.Parameter(name, in.accept("=") ? expressions.parse() : null));
      if (!in.peek().isOperator(")")) {
        in.expect(",");
      }
    }
    return parameters;
  }

  private Node macro(Position at) {
    String name = in.expectName().text();
    List<Node.Parameter> parameters = parameters();
    endOfTag();
    return new Node.Macro(at, name, parameters, body("endmacro"));
  }

  private Node callBlock(Position at) {
    List<Node.Parameter> parameters = in.peek().isOperator("(") ? parameters() : List.of();
    Expr call = expressions.parse();
    if (!(call instanceof Expr.Call called)) {
      throw new TemplateException(at, "A call block needs a call");
    }
    endOfTag();
    return new Node.CallBlock(at, called, parameters, body("endcall"));
  }

  private Node filterBlock() {
    List<Expr.Filter> filters = new ArrayList<>();
    filters.add(expressions.filter(new Expr.Literal(in.peek().at(), "")));
    filters.addAll(filterChain());
    endOfTag();
    return new Node.FilterBlock(filters, body("endfilter"));
  }

  private Node with() {
    Map<String, Expr> values = new LinkedHashMap<>();
    while (!in.atEndOfTag()) {
      String name = in.expectName().text();
      in.expect("=");
      values.put(name, expressions.parse());
      if (!in.atEndOfTag()) {
        in.expect(",");
      }
    }
    endOfTag();
    return new Node.With(values, body("endwith"));
  }
}
