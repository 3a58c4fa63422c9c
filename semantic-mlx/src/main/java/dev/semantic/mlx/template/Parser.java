package dev.semantic.mlx.template;

import dev.semantic.mlx.template.Token.Kind;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Parses a template's statements. */
final class Parser {
  private static final int DEEPEST = 100;

  /** Tags of Jinja for whole pages, or of extensions that transformers does not load. */
  private static final Set<String> NOT_HERE =
      Set.of(
          "include",
          "import",
          "from",
          "extends",
          "block",
          "autoescape",
          "print",
          "do",
          "trans",
          "debug");

  private final TokenReader in;
  private final ExpressionParser expressions;
  private final TargetParser targets;
  private int depth;
  private int loops; // around what is parsed, within the same macro

  private Parser(List<Token> tokens) {
    this.in = new TokenReader(tokens);
    this.expressions = new ExpressionParser(in);
    this.targets = new TargetParser(in, expressions);
  }

  static List<Node> parse(String template) {
    Parser parser = new Parser(Lexer.tokens(template));
    List<Node> nodes = parser.all();
    if (parser.in.peek().kind() != Kind.END) {
      Token token = parser.in.peekSecond();
      throw new TemplateException(
          token.at(), "Nothing was opened that '" + token.text() + "' could end");
    }
    Interpreter.check(nodes);
    Scopes.complete(nodes);
    return nodes;
  }

  private List<Node> all() {
    try {
      return until(Set.of());
    } catch (StackOverflowError e) {
      throw TemplateException.tooDeep(in.peek().at());
    }
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
          nodes.add(new Node.Print(expressions.parseTuple(true)));
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
        beginBody();
        yield new Node.With(List.of(), outsideOfLoops("endgeneration"));
      }
      case "break" -> {
        inLoop(name);
        yield new Node.Break();
      }
      case "continue" -> {
        inLoop(name);
        yield new Node.Continue();
      }
      default ->
          throw new TemplateException(
              name.at(),
              NOT_HERE.contains(name.text())
                  ? "The tag '" + name.text() + "' is Jinja's, but not one that chat templates use"
                  : "There is no tag '" + name.text() + "'");
    };
  }

  private void inLoop(Token tag) {
    if (loops == 0) {
      throw new TemplateException(tag.at(), "'" + tag.text() + "' outside of a loop");
    }
    endOfTag();
  }

  private void endOfTag() {
    in.expect(Kind.BLOCK_END);
  }

  /** The end of a tag that has a body; a colon may stand before it, as in Python. */
  private void beginBody() {
    in.accept(":");
    endOfTag();
  }

  private List<Node> body(String end) {
    List<Node> nodes = until(Set.of(end));
    close(end);
    return nodes;
  }

  private List<Node> outsideOfLoops(String end) {
    int around = loops;
    loops = 0;
    List<Node> nodes = body(end);
    loops = around;
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
    Expr condition = expressions.parseTuple(false);
    beginBody();
    while (true) {
      List<Node> nodes = until(Set.of("elif", "else", "endif"));
      branches.add(Map.entry(condition, nodes));
      in.next();
      Token tag = in.expectName();
      if (tag.isName("elif")) {
        condition = expressions.parseTuple(false);
        beginBody();
        continue;
      }
      if (tag.isName("else")) {
        beginBody();
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
    Expr target = targets.parse(false);
    if (!in.acceptName("in")) {
      throw new TemplateException(in.peek().at(), "Expected 'in' after the loop's variable");
    }
    Expr items = expressions.parseTuple(false);
    Expr filter = in.acceptName("if") ? expressions.parse() : null;
    boolean recursive = in.acceptName("recursive");
    beginBody();
    loops++;
    List<Node> body = until(Set.of("else", "endfor"));
    loops--;
    List<Node> otherwise = List.of();
    if (in.peekSecond().isName("else")) {
      in.next();
      in.next();
      beginBody();
      otherwise = until(Set.of("endfor"));
    }
    close("endfor");
    return new Node.For(at, target, items, filter, recursive, body, otherwise);
  }

  private Node set(Position at) {
    Expr target = targets.parse(true);
    if (in.accept("=")) {
      Expr value = expressions.parseTuple(true);
      endOfTag();
      return new Node.Assign(target, value);
    }
    if (target instanceof Expr.TupleOf) {
      throw new TemplateException(at, "A block has one value, which cannot be taken apart");
    }
    List<Expr.Filter> filters = filterChain();
    beginBody();
    return new Node.Capture(target, body("endset"), filters);
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
    Set<String> names = new HashSet<>();
    in.expect("(");
    while (!in.accept(")")) {
      if (!parameters.isEmpty()) {
        in.expect(",");
      }
      Token name = in.expectName();
      Expr value = in.accept("=") ? expressions.parse() : null;
      if (value == null && !parameters.isEmpty() && parameters.getLast().defaultValue() != null) {
        throw new TemplateException(
            name.at(), "The parameter '" + name.text() + "' needs a default like those before it");
      }
      if (!names.add(name.text())) {
        throw new TemplateException(name.at(), "Two parameters are called '" + name.text() + "'");
      }
      parameters.add(new Node.Parameter(name.text(), value));
    }
    return parameters;
  }

  private Node.Procedure procedure(List<Node.Parameter> parameters, String end) {
    beginBody();
    List<Node> body = outsideOfLoops(end);
    return new Node.Procedure(parameters, body, Interpreter.specials(body));
  }

  private Node macro(Position at) {
    String name = in.expectName().text();
    return new Node.Macro(at, name, procedure(parameters(), "endmacro"));
  }

  private Node callBlock(Position at) {
    List<Node.Parameter> parameters = in.peek().isOperator("(") ? parameters() : List.of();
    Expr call = expressions.parse();
    if (!(call instanceof Expr.Call called)) {
      throw new TemplateException(at, "A call block needs a call");
    }
    return new Node.CallBlock(at, called, procedure(parameters, "endcall"));
  }

  private Node filterBlock() {
    List<Expr.Filter> filters = new ArrayList<>();
    filters.add(expressions.filter(new Expr.Literal(in.peek().at(), "")));
    filters.addAll(filterChain());
    beginBody();
    return new Node.FilterBlock(filters, body("endfilter"));
  }

  private Node with() {
    List<Node.Assign> values = new ArrayList<>();
    while (!in.atEndOfTag() && !in.peek().isOperator(":")) {
      if (!values.isEmpty()) {
        in.expect(",");
      }
      Expr target = targets.parse(false);
      in.expect("=");
      values.add(new Node.Assign(target, expressions.parse()));
    }
    beginBody();
    return new Node.With(values, body("endwith"));
  }
}
