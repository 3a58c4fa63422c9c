package dev.semantic.mlx.tokenizer;

import static dev.semantic.mlx.testing.Refusal.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.model.ModelException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the guard does to a text takes time as the text is long, whatever stands in it. */
class GuardTest {
  private static final int N = 700;
  private static final String LONG = "<".repeat(40) + "x";
  private static final Set<String> SPECIAL = Set.of("<s>", "<|end|>", LONG, "\n<");

  /** Best of two; of this thread, whatever else the machine does. */
  private static double nanos(Runnable work) {
    var threads = ManagementFactory.getThreadMXBean();
    return IntStream.range(0, 2)
        .mapToLong(
            i -> {
              long begun = threads.getCurrentThreadCpuTime();
              work.run();
              return threads.getCurrentThreadCpuTime() - begun;
            })
        .min()
        .orElseThrow();
  }

  private static void assertGrowsAsTheText(IntFunction<Runnable> work) {
    double[] nanos =
        IntStream.of(N, N, 4 * N) // the first makes it warm
            .mapToDouble(n -> nanos(work.apply(n)))
            .toArray();
    assertTrue(
        nanos[2] / Math.max(nanos[1], 2e6) < 10,
        () -> "%.0f, then %.0f µs".formatted(nanos[1] / 1e3, nanos[2] / 1e3));
  }

  @ParameterizedTest
  @ValueSource(strings = {"<", "\n", "<s>", "<|en", "d|>", " ", "<s> ", "\n<", "a"})
  void itsWorkGrowsAsTheTextDoes(String bit) {
    Guard guard = new Guard(SPECIAL, Set.of("<s>>"));
    assertGrowsAsTheText(
        n -> {
          String text = bit.repeat(16 * n);
          return () -> guard.places(text);
        });
  }

  /** The template looks for special tokens, so marks are put around them. */
  @ParameterizedTest
  @ValueSource(strings = {"<s>", "<s> ", "<s>\n", "<|end|>"})
  void soItDoesWhereATemplateLooks(String bit) {
    Guard guard = new Guard(SPECIAL, Set.of());
    assertGrowsAsTheText(
        n -> {
          String text = bit.repeat(8 * n);
          return () -> guard.broken(Map.of("a", text), shown(text), this::looks);
        });
  }

  private String looks(Map<String, ? extends Object> values) {
    return shown(String.valueOf(values.get("a")));
  }

  private static String shown(String text) {
    return "<|end|>" + (text.contains("<s>") || text.contains("<|end|>") ? "!" : "") + text;
  }

  /** A letter of somebody else's makes no longer token of the template's own. */
  @Test
  void aTokenThatHasASpecialOneInItDoesNotTakeItsPlace() {
    List<AddedToken> tokens =
        List.of(
            AddedToken.of(1, "<|end|>", true),
            AddedToken.of(2, "<|end|>>", false),
            AddedToken.of(3, "x<|", false));
    AddedTokens added = new AddedTokens(tokens);
    Guard guard = new Guard(Set.of("<|end|>"), Set.of("<|end|>>", "x<|"));
    String plain = "x<|end|>> <|end|>>";
    String broken =
        guard.broken(
            Map.of("a", "x", "b", "> <|end|>>"),
            plain,
            values -> values.get("a") + "<|end|>" + values.get("b"));
    assertNotEquals(plain, broken);
    assertEquals(
        List.of("x", "<|end|>", "> ", "<|end|>>"),
        added.cut(plain, broken).stream().map(AddedTokens.Part::between).toList());
    assertEquals(
        List.of("x<|", "end|>> ", "<|end|>>"),
        added.cut(plain, plain).stream().map(AddedTokens.Part::between).toList(),
        "what a template writes is cut as ever");
  }

  @Test
  void aSpecialTokenOfAnyLengthIsRefused() {
    String token = "<" + "x".repeat(AddedToken.LONGEST_SPECIAL);
    ModelException refused =
        assertRefused(
            ModelException.class,
            () ->
                new GgufVocabulary(
                    Path.of("model.gguf"),
                    Map.of(
                        "tokenizer.ggml.tokens",
                        List.of(token),
                        "tokenizer.ggml.token_type",
                        List.of(3))),
            "special token 0 has 257 characters");
    assertEquals(ModelException.Kind.DAMAGED, refused.kind());
  }
}
