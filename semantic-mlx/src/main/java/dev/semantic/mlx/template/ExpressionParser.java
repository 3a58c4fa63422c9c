package dev.semantic.mlx.template;

import dev.semantic.mlx.template.Expr.Arguments;
import dev.semantic.mlx.template.Token.Kind;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Parses expressions, by precedence from loose to tight as jinja2 does. */
final class ExpressionParser {
  private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");
  private static final Set<String> NOT_AN_ARGUMENT = Set.of("else", "or", "and");
  private static final int DEEPEST = 200;

  private final TokenReader in;
  private int depth;

  ExpressionParser(TokenReader in) {
    this.in = in;
  }

  /**
   * An expression, or several with commas between them, which make a tuple.
   *
   * @param conditional as in {@link #parse(boolean)}
   */
  Expr parseTuple(boolean conditional) {
    Expr first = parse(conditional);
    return in.peek().isOperator(",") ? tuple(first, () -> parse(conditional)) : first;
  }

  /** The first of several expressions and, after its comma, the others. */
  Expr tuple(Expr first, Supplier<Expr> parser) {
    List<Expr> items = new ArrayList<>(List.of(first));
    while (in.accept(",") && !endsTuple()) {
      items.add(parser.get());
    }
    return new Expr.TupleOf(first.at(), items);
  }

  private boolean endsTuple() {
    Token token = in.peek();
    return in.atEndOfTag()
        || token.isOperator(")")
        || token.isName("in")
        || token.isName("recursive");
  }

  Expr parse() {
    return parse(true);
  }

  /** An expression; without {@code if}, where that belongs to somebody else. */
  Expr parse(boolean conditional) {
    if (++depth > DEEPEST) {
      throw new TemplateException(in.peek().at(), "Expressions nested too deeply");
    }
    try {
      Expr value = or();
      while (conditional && in.peek().isName("if")) {
        Position at = in.next().at();
        Expr condition = or();
        Expr otherwise = in.acceptName("else") ? parse() : null;
        value = new Expr.Conditional(at, condition, value, otherwise);
      }
      return value;
    } finally {
      depth--;
    }
  }

  private Expr or() {
    Expr left = and();
    while (in.peek().isName("or")) {
      left = new Expr.Binary(in.next().at(), "or", left, and());
    }
    return left;
  }

  private Expr and() {
    Expr left = not();
    while (in.peek().isName("and")) {
      left = new Expr.Binary(in.next().at(), "and", left, not());
    }
    return left;
  }

  private Expr not() {
    return in.peek().isName("not") ? new Expr.Unary(in.next().at(), "not", not()) : comparison();
  }

  private Expr comparison() {
    Expr first = sum();
    List<String> operators = new ArrayList<>();
    List<Expr> others = new ArrayList<>();
    while (true) {
      Token token = in.peek();
      if (token.kind() == Kind.OPERATOR && COMPARISONS.contains(token.text())) {
        operators.add(in.next().text());
      } else if (token.isName("in")) {
        operators.add(in.next().text());
      } else if (token.isName("not") && in.peekSecond().isName("in")) {
        in.next();
        in.next();
        operators.add("not in");
      } else {
        break;
      }
      others.add(sum());
    }
    return operators.isEmpty() ? first : new Expr.Comparison(first.at(), first, operators, others);
  }

  private Expr sum() {
    Expr left = concatenation();
    while (in.peek().isOperator("+") || in.peek().isOperator("-")) {
      Token operator = in.next();
      left = new Expr.Binary(operator.at(), operator.text(), left, concatenation());
    }
    return left;
  }

  private Expr concatenation() {
    Expr left = product();
    while (in.peek().isOperator("~")) {
      left = new Expr.Binary(in.next().at(), "~", left, product());
    }
    return left;
  }

  private Expr product() {
    Expr left = power();
    while (in.peek().kind() == Kind.OPERATOR
        && Set.of("*", "/", "//", "%").contains(in.peek().text())) {
      Token operator = in.next();
      left = new Expr.Binary(operator.at(), operator.text(), left, power());
    }
    return left;
  }

  private Expr power() {
    Expr left = unary(true);
    while (in.peek().isOperator("**")) {
      left = new Expr.Binary(in.next().at(), "**", left, unary(true));
    }
    return left;
  }

  private Expr unary(boolean withFilters) {
    Expr value;
    if (in.peek().isOperator("-") || in.peek().isOperator("+")) {
      Token operator = in.next();
      value = postfix(new Expr.Unary(operator.at(), operator.text(), unary(false)));
    } else {
      value = postfix(primary());
    }
    return withFilters ? filters(value) : value;
  }

  /** A name, a literal, or what stands in brackets. */
  Expr primary() {
    Token token = in.next();
    return switch (token.kind()) {
      case NAME -> named(token);
      case STRING -> string(token);
      case INTEGER -> new Expr.Literal(token.at(), integer(token));
      case FLOAT -> new Expr.Literal(token.at(), Double.valueOf(token.text()));
      case OPERATOR -> bracketed(token);
      default -> throw unexpected(token);
    };
  }

  private static Object integer(Token token) {
    Object value = Numbers.parseInteger(token.text(), 0);
    if (value == null) {
      throw new TemplateException(token.at(), "Not an integer: " + token.text());
    }
    return value;
  }

  private static Expr named(Token token) {
    return switch (token.text()) {
      case "true", "True" -> new Expr.Literal(token.at(), true);
      case "false", "False" -> new Expr.Literal(token.at(), false);
      case "none", "None" -> new Expr.Literal(token.at(), null);
      default -> new Expr.Name(token.at(), token.text());
    };
  }

  private Expr string(Token token) {
    StringBuilder text = new StringBuilder(token.text());
    while (in.peek().kind() == Kind.STRING) {
      text.append(in.next().text());
    }
    return new Expr.Literal(token.at(), text.toString());
  }

  private Expr bracketed(Token token) {
    return switch (token.text()) {
      case "(" -> parenthesised(token);
      case "[" -> new Expr.ListOf(token.at(), items("]"));
      case "{" -> dict(token);
      default -> throw unexpected(token);
    };
  }

  private Expr parenthesised(Token token) {
    if (in.accept(")")) {
      return new Expr.TupleOf(token.at(), List.of());
    }
    Expr value = parseTuple(true);
    in.expect(")");
    return value;
  }

  private List<Expr> items(String closing) {
    List<Expr> items = new ArrayList<>();
    while (!in.accept(closing)) {
      items.add(parse());
      if (!in.peek().isOperator(closing)) {
        in.expect(",");
      }
    }
    return items;
  }

  private Expr dict(Token open) {
    List<Map.Entry<Expr, Expr>> pairs = new ArrayList<>();
    while (!in.accept("}")) {
      Expr key = parse();
      in.expect(":");
      pairs.add(Map.entry(key, parse()));
      if (!in.peek().isOperator("}")) {
        in.expect(",");
      }
    }
    return new Expr.DictOf(open.at(), pairs);
  }

  private Expr postfix(Expr target) {
    Expr value = target;
    while (true) {
      Token token = in.peek();
      if (token.isOperator(".")) {
        in.next();
        Token name = in.next();
        value =
            switch (name.kind()) {
              case NAME -> new Expr.Attribute(name.at(), value, name.text());
              case INTEGER ->
                  new Expr.Item(name.at(), value, new Expr.Literal(name.at(), integer(name)));
              default -> throw unexpected(name);
            };
      } else if (token.isOperator("[")) {
        in.next();
        value = subscript(value, token.at());
      } else if (token.isOperator("(")) {
        value = new Expr.Call(token.at(), value, arguments());
      } else {
        return value;
      }
    }
  }

  private Expr subscript(Expr target, Position at) {
    if (in.peek().isOperator("]")) {
      in.next();
      return new Expr.Item(at, target, new Expr.TupleOf(at, List.of()));
    }
    Expr start = in.peek().isOperator(":") ? null : parse();
    if (start != null && !in.peek().isOperator(":")) {
      Expr index = in.peek().isOperator(",") ? severalIndexes(start) : start;
      in.expect("]");
      return new Expr.Item(at, target, index);
    }
    in.expect(":");
    Expr stop = bound();
    Expr step = in.accept(":") ? bound() : null;
    in.expect("]");
    return new Expr.Slice(at, target, start, stop, step);
  }

  private Expr severalIndexes(Expr first) {
    List<Expr> indexes = new ArrayList<>(List.of(first));
    while (in.accept(",") && !in.peek().isOperator("]")) {
      indexes.add(parse());
    }
    return new Expr.TupleOf(first.at(), indexes);
  }

  private @Nullable Expr bound() {
    return in.peek().isOperator(":") || in.peek().isOperator("]") ? null : parse();
  }

  private Expr filters(Expr target) {
    Expr value = target;
    while (true) {
      if (in.peek().isOperator("|")) {
        in.next();
        value = filter(value);
      } else if (in.peek().isName("is")) {
        value = test(value);
      } else if (in.peek().isOperator("(")) {
        value = new Expr.Call(in.peek().at(), value, arguments());
      } else {
        return value;
      }
    }
  }

  Expr.Filter filter(Expr target) {
    Token name = in.expectName();
    StringBuilder whole = new StringBuilder(name.text());
    while (in.accept(".")) {
      whole.append('.').append(in.expectName().text());
    }
    Arguments arguments = in.peek().isOperator("(") ? arguments() : Arguments.NONE;
    return new Expr.Filter(name.at(), target, whole.toString(), arguments);
  }

  private Expr test(Expr target) {
    in.next();
    boolean negated = in.acceptName("not");
    Token name = in.expectName();
    StringBuilder whole = new StringBuilder(name.text());
    while (in.accept(".")) {
      whole.append('.').append(in.expectName().text());
    }
    Arguments arguments = Arguments.NONE;
    Token next = in.peek();
    if (next.isOperator("(")) {
      arguments = arguments();
    } else if (next.isName("is")) {
      throw new TemplateException(next.at(), "Tests cannot be chained with 'is'");
    } else if (beginsAnArgument(next)) {
      arguments = new Arguments(List.of(postfix(primary())), Map.of(), null, null);
    }
    return new Expr.Test(name.at(), target, whole.toString(), arguments, negated);
  }

  private static boolean beginsAnArgument(Token token) {
    return switch (token.kind()) {
      case NAME -> !NOT_AN_ARGUMENT.contains(token.text());
      case STRING, INTEGER, FLOAT -> true;
      case OPERATOR -> token.text().equals("[") || token.text().equals("{");
      default -> false;
    };
  }

  Arguments arguments() {
    Position at = in.peek().at();
    in.expect("(");
    List<Expr> positional = new ArrayList<>();
    Map<String, Expr> named = new LinkedHashMap<>();
    Expr more = null;
    Expr moreNamed = null;
    while (!in.accept(")")) {
      boolean inOrder = moreNamed == null;
      if (in.peek().kind() == Kind.NAME && in.peekSecond().isOperator("=")) {
        String name = in.next().text();
        in.next();
        inOrder &= named.put(name, parse()) == null;
      } else if (in.accept("**")) {
        moreNamed = parse();
      } else if (in.accept("*")) {
        inOrder &= more == null;
        more = parse();
      } else {
        inOrder &= named.isEmpty() && more == null;
        positional.add(parse());
      }
      if (!inOrder) {
        throw new TemplateException(at, "The arguments of this call are not in order, or twice");
      }
      if (!in.peek().isOperator(")")) {
        in.expect(",");
      }
    }
    return new Arguments(positional, named, more, moreNamed);
  }

  private static TemplateException unexpected(Token token) {
    return new TemplateException(token.at(), "Unexpected '" + token.text() + "'");
  }
}
