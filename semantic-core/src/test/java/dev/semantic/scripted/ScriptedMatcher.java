package dev.semantic.scripted;

import dev.semantic.generate.Constraint;
import dev.semantic.model.ModelException;
import dev.semantic.spi.TokenMatcher;
import java.util.Arrays;
import java.util.BitSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import java.util.stream.Collectors;

/**
 * A regular expression over bytes, or tags as one, by trying every token. Where one alone may
 * follow it is forced, with all that follow it alone.
 */
final class ScriptedMatcher implements TokenMatcher {
  private static final int LONGEST_RUN = 8;

  private final Geometry model;
  private final Script script;
  private final Pattern pattern;
  private final StringBuilder said = new StringBuilder();
  private boolean ended;
  private volatile boolean closed;

  ScriptedMatcher(Geometry model, Script script, Constraint constraint) {
    this.model = model;
    this.script = script;
    try {
      this.pattern = Pattern.compile(expression(constraint), Pattern.DOTALL);
    } catch (PatternSyntaxException e) {
      throw new ModelException(ModelException.Kind.INVALID, "No pattern: " + e.getMessage(), e);
    }
    script.matcherOpened();
  }

  private static String expression(Constraint constraint) {
    return switch (constraint) {
      case Constraint.Regex(String pattern) -> pattern;
      case Constraint.StructuralTags tags -> expression(tags);
      default ->
          throw new ModelException(ModelException.Kind.UNSUPPORTED, "Regular expressions only");
    };
  }

  /** Whose arguments are an object with a short text, whatever the schema says. */
  private static String expression(Constraint.StructuralTags tags) {
    String tag =
        tags.tags().stream()
            .map(
                each ->
                    Pattern.quote(each.begin())
                        + "\\{\"a\":\"[a-z]{0,3}\"\\}"
                        + Pattern.quote(each.end()))
            .collect(Collectors.joining("|", "(", ")"));
    String after = tags.after().isEmpty() ? "" : ".*?" + Pattern.quote(tags.after());
    return tags.required()
        ? "%s%s{1,%d}".formatted(after, tag, Math.min(tags.most(), 5))
        : "[^<]*(%s[^<]*)*".formatted(tag);
  }

  @Override
  public Next accept(int... tokens) {
    script.matching();
    if (closed) {
      throw new IllegalStateException("used after it was closed");
    }
    for (int token : tokens) {
      if (ended || !allowed().get(token)) {
        throw new ModelException(ModelException.Kind.FAILED, "Token " + token + " may not come");
      }
      append(token);
    }
    int before = said.length();
    int[] forced = new int[LONGEST_RUN];
    int count = 0;
    for (BitSet only = allowed(); count < LONGEST_RUN && isText(only); only = allowed()) {
      forced[count++] = only.nextSetBit(0);
      append(forced[count - 1]);
    }
    said.setLength(before);
    return new Next(allowed(), Arrays.copyOf(forced, count));
  }

  private boolean isText(BitSet allowed) {
    return allowed.cardinality() == 1 && !allowed.get(Geometry.END);
  }

  private void append(int token) {
    if (token == Geometry.END) {
      ended = true;
    } else {
      said.append((char) (token - model.firstByteToken()));
    }
  }

  @SuppressWarnings("JdkObsolete") // what may still become a match is what is asked
  private BitSet allowed() {
    BitSet allowed = new BitSet();
    for (int b = 0; b < 128; b++) {
      Matcher matcher = pattern.matcher(said.toString() + (char) b);
      if (matcher.matches() || matcher.hitEnd()) {
        allowed.set(model.firstByteToken() + b);
      }
    }
    if (pattern.matcher(said).matches()) {
      allowed.set(Geometry.END);
    }
    return allowed;
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      script.matcherClosed();
    }
  }
}
