package dev.semantic.benchmarks;

import dev.semantic.generate.Constraint;
import dev.semantic.mlx.MlxModelRuntime;
import dev.semantic.model.ModelId;
import dev.semantic.spi.PreparedModel;
import dev.semantic.spi.TokenMatcher;
import dev.semantic.spi.Tokenizer;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * What it takes to find out which tokens may come next: the first constraint of a model, compiling
 * another one, and each token, from the thread that asks. No model computes. Prints Markdown.
 *
 * <p>{@code java --enable-native-access=ALL-UNNAMED -cp benchmarks/target/benchmarks.jar
 * dev.semantic.benchmarks.MaskExperiment [tokens] [models..]}
 */
public final class MaskExperiment {
  private static final List<String> SCHEMAS =
      List.of(
          """
          {"type":"object","properties":{"name":{"type":"string","maxLength":40},
           "age":{"type":"integer","minimum":0,"maximum":130},"tags":{"type":"array",
           "items":{"enum":["red","green","blue"]},"maxItems":5}},
           "required":["name","age","tags"],"additionalProperties":false}
          """,
          """
          {"anyOf":[{"type":"string","maxLength":200},{"type":"array","items":{"type":"number"}}]}
          """,
          """
          {"type":"string","pattern":"^[a-z]{3,200}$"}
          """);

  private final Tokenizer text;
  private final Random random = new Random(1);

  private MaskExperiment(Tokenizer text) {
    this.text = text;
  }

  public static void main(String[] args) {
    int tokens = args.length > 0 ? Integer.parseInt(args[0]) : 5_000;
    List<String> models =
        args.length > 1
            ? List.of(args).subList(1, args.length)
            : List.of("smollm2-135m-instruct", "gemma-3-270m");
    System.out.println("| model | tokens | first ms | compile ms p50 | p50 µs | p99 µs | max µs |");
    System.out.println("|---|---|---|---|---|---|---|");
    try (MlxModelRuntime runtime = MlxModelRuntime.open()) {
      for (String name : models) {
        try (PreparedModel prepared = runtime.prepare(new ModelId(name))) {
          new MaskExperiment(prepared.text()).run(name, tokens);
        }
      }
    }
  }

  private void run(String name, int tokens) {
    long begun = System.nanoTime();
    text.match(new Constraint.JsonSchema("{}")).close();
    long first = System.nanoTime() - begun;
    walk(tokens / 5, new long[tokens / 5]); // until everything is compiled
    long[] steps = new long[tokens];
    long[] compilations = walk(tokens, steps);
    Arrays.sort(steps);
    System.out.printf(
        "| %s | %d | %d | %.2f | %.0f | %.0f | %.0f |%n",
        name,
        text.detokenizer().tokens(),
        first / 1_000_000,
        compilations[compilations.length / 2] / 1e6,
        steps[tokens / 2] / 1e3,
        steps[tokens * 99 / 100] / 1e3,
        steps[tokens - 1] / 1e3);
  }

  /** Answers at random until there are so many tokens; sorted times of their compilations. */
  private long[] walk(int tokens, long[] steps) {
    long[] compilations = new long[tokens];
    int answers = 0;
    int done = 0;
    while (done < tokens) {
      Constraint constraint = new Constraint.JsonSchema(SCHEMAS.get(answers % SCHEMAS.size()));
      long begun = System.nanoTime();
      try (TokenMatcher matcher = text.match(constraint)) {
        compilations[answers++] = System.nanoTime() - begun;
        int[] more = {};
        for (int i = 0; i < 100 && done < tokens && !isEnd(more); i++) {
          long asked = System.nanoTime();
          TokenMatcher.Next next = matcher.accept(more);
          steps[done++] = System.nanoTime() - asked;
          more = next.forced().length > 0 ? next.forced() : new int[] {any(next)};
        }
      }
    }
    long[] all = Arrays.copyOf(compilations, answers);
    Arrays.sort(all);
    return all;
  }

  private boolean isEnd(int[] tokens) {
    return tokens.length == 1 && text.endTokens().contains(tokens[0]);
  }

  private int any(TokenMatcher.Next next) {
    int[] allowed = next.allowed().stream().toArray();
    return allowed[random.nextInt(allowed.length)];
  }
}
