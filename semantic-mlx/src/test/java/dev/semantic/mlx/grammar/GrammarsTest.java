package dev.semantic.mlx.grammar;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.generate.Constraint;
import dev.semantic.mlx.MlxModelRuntime;
import dev.semantic.mlx.testing.RequiresGrammar;
import dev.semantic.mlx.testing.RequiresModels;
import dev.semantic.model.ModelException;
import dev.semantic.model.ModelId;
import dev.semantic.spi.PreparedModel;
import dev.semantic.spi.TokenMatcher;
import dev.semantic.spi.Tokenizer;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.time.OffsetTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** llguidance itself, over the tokens of real models; nothing is computed by them. */
@RequiresModels
@RequiresGrammar
@Timeout(120)
class GrammarsTest {
  private static MlxModelRuntime runtime;
  private static PreparedModel prepared;
  private static Tokenizer text;

  @BeforeAll
  static void open() {
    runtime = MlxModelRuntime.open();
    prepared = runtime.prepare(new ModelId("smollm2-135m-instruct"));
    text = prepared.text();
  }

  @AfterAll
  static void close() {
    prepared.close();
    runtime.close();
  }

  private static Constraint schema(String text) {
    return new Constraint.JsonSchema(text);
  }

  /** Goes on at random among what is allowed, as a model would that knows nothing. */
  private static String walk(Constraint constraint, long seed) {
    Random random = new Random(seed);
    List<Integer> said = new ArrayList<>();
    try (TokenMatcher matcher = text.match(constraint)) {
      TokenMatcher.Next next = matcher.accept();
      while (said.size() < 2000) {
        int[] more = next.forced();
        if (more.length == 0) {
          int[] allowed = next.allowed().stream().toArray();
          more = new int[] {allowed[random.nextInt(allowed.length)]};
        }
        if (text.endTokens().contains(more[0])) {
          return text.decode(said.stream().mapToInt(Integer::intValue).toArray());
        }
        for (int token : more) {
          said.add(token);
        }
        next = matcher.accept(more);
      }
    }
    throw new AssertionError("It did not end within 2000 tokens");
  }

  private static String string(String schema, long seed) {
    String json = walk(schema(schema), seed);
    return json.substring(1, json.length() - 1);
  }

  private static boolean isAllowed(Constraint constraint, String said) {
    try (TokenMatcher matcher = text.match(constraint)) {
      TokenMatcher.Next next = matcher.accept();
      int at = 0;
      while (at < said.length()) {
        int[] tokens = next.forced();
        if (tokens.length == 0) {
          tokens = text.encode(said.substring(at, at + 1), false);
        }
        String more = text.decode(tokens);
        boolean sure = next.forced().length > 0;
        if (!said.startsWith(more, at) || (!sure && !next.allowed().get(tokens[0]))) {
          return false;
        }
        at += more.length();
        next = matcher.accept(tokens);
      }
      return text.endTokens().stream().anyMatch(next.allowed()::get);
    }
  }

  @Test
  void onlyDatesAndTimesThatThereAreComeOut() {
    for (int seed = 0; seed < 200; seed++) {
      LocalDate.parse(string("{\"type\":\"string\",\"format\":\"date\"}", seed));
      OffsetTime.parse(string("{\"type\":\"string\",\"format\":\"time\"}", seed));
      OffsetDateTime.parse(string("{\"type\":\"string\",\"format\":\"date-time\"}", seed));
    }
    Constraint leap = schema("{\"type\":\"string\",\"format\":\"date\",\"pattern\":\"-02-29$\"}");
    for (int seed = 0; seed < 20; seed++) {
      String said = walk(leap, seed);
      assertTrue(LocalDate.parse(said.substring(1, said.length() - 1)).isLeapYear(), said);
    }
    Constraint date = schema("{\"anyOf\":[{\"type\":\"string\",\"format\":\"date\"}]}");
    assertTrue(isAllowed(date, "\"2024-02-29\""));
    assertFalse(isAllowed(date, "\"2023-02-29\""));
    assertFalse(isAllowed(date, "\"1900-02-29\""));
  }

  @Test
  void forcedTextIsSaidWithoutAChoice() {
    try (TokenMatcher matcher =
        text.match(
            schema(
                """
                {"type":"object","properties":{"temperature":{"const":"warm"}},
                 "required":["temperature"],"additionalProperties":false}
                """))) {
      TokenMatcher.Next next = matcher.accept();
      assertTrue(next.forced().length > 3, "nothing was forced");
      assertTrue("{\"temperature\":\"warm\"}".startsWith(text.decode(next.forced())));
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void whateverIsAllowedLeadsToATextThatMatches(long seed) {
    assertTrue(
        walk(new Constraint.Regex("(ab|cd){2,4}-[0-9]{1,3}"), seed)
            .matches("(ab|cd){2,4}-[0-9]{1,3}"));
    String lark = "start: \"<\" WORD \">\"\nWORD: /[a-z]{1,9}/\n";
    assertTrue(walk(new Constraint.Lark(lark), seed).matches("<[a-z]{1,9}>"));
    String json = walk(schema("{\"enum\":[\"a\",1,null]}"), seed);
    assertTrue(List.of("\"a\"", "1", "null").contains(json), json);
  }

  @Test
  void aTagIsItsSchemaBetweenItsTexts() {
    Constraint.Tag tag =
        new Constraint.Tag(
            "<call>", "<call>{\"name\":\"add\",\"arguments\":", "{\"enum\":[1,2]}", "}</call>");
    String all = "(<call>\\{\"name\":\"add\",\"arguments\":[12]}</call>)+";
    for (long seed = 0; seed < 5; seed++) {
      String said = walk(new Constraint.StructuralTags(List.of(tag), true), seed);
      assertTrue(said.matches(all), said);
    }
    try (TokenMatcher free = text.match(new Constraint.StructuralTags(List.of(tag), false))) {
      free.accept();
      TokenMatcher.Next next = free.accept(text.encode("I will add them. <call>", false));
      assertTrue(text.decode(next.forced()).startsWith("{\"name\":\"add\""), next.toString());
    }
  }

  @Test
  void tagsComeBehindTheEndOfThoughtsAndNoMoreThanMay() {
    Constraint.Tag tag = new Constraint.Tag("<call>", "<call>", "{\"enum\":[1,2]}", "</call>");
    Constraint twice = new Constraint.StructuralTags(List.of(tag), true, 2, "</think>");
    try (TokenMatcher matcher = text.match(twice)) {
      matcher.accept();
      TokenMatcher.Next next = matcher.accept(text.encode("I call <call> it. </think>\n\n", false));
      assertTrue(text.decode(next.forced()).startsWith("<call>"), next.toString());
    }
    Constraint once = new Constraint.StructuralTags(List.of(tag), true, 1, "");
    for (long seed = 0; seed < 5; seed++) {
      String said = walk(once, seed);
      assertTrue(said.matches("<call>[12]</call>"), said);
    }
  }

  @Test
  void closingWaitsForNobodyWhoseVocabularyIsStillHandedOver() throws Exception {
    CountDownLatch reached = new CountDownLatch(1);
    CountDownLatch released = new CountDownLatch(1);
    Tokenizer slow =
        (Tokenizer)
            Proxy.newProxyInstance(
                Tokenizer.class.getClassLoader(),
                new Class<?>[] {Tokenizer.class},
                (proxy, method, arguments) -> {
                  if (method.getName().equals("encode")) {
                    reached.countDown();
                    released.await();
                  }
                  return method.invoke(text, arguments);
                });
    Grammars grammars = new Grammars(slow);
    Executor others = task -> Thread.ofVirtual().start(task);
    CompletableFuture<TokenMatcher> first =
        CompletableFuture.supplyAsync(() -> grammars.match(new Constraint.Regex("[ab]")), others);
    CompletableFuture<TokenMatcher> second =
        CompletableFuture.supplyAsync(() -> grammars.match(new Constraint.Regex("b")), others);
    assertTrue(reached.await(30, TimeUnit.SECONDS));
    CompletableFuture.runAsync(grammars::close, others).get(10, TimeUnit.SECONDS);
    assertThrows(ModelException.class, () -> grammars.match(new Constraint.Regex("c")));
    released.countDown();
    try (TokenMatcher matcher = first.get(30, TimeUnit.SECONDS)) {
      assertTrue(matcher.accept().allowed().get(text.encode("a", false)[0]));
    }
    second.handle((matcher, failure) -> matcher).get(30, TimeUnit.SECONDS);
  }

  @Test
  void aTokenThatWasNotAllowedIsNotTaken() {
    try (TokenMatcher matcher = text.match(new Constraint.Regex("[0-9]+"))) {
      matcher.accept();
      int letter = text.encode("x", false)[0];
      assertThrows(ModelException.class, () -> matcher.accept(letter));
    }
  }

  @Test
  void endTokensAreNoText() {
    int end = text.endTokens().iterator().next();
    try (TokenMatcher matcher = text.match(new Constraint.Regex("(.|\\n)*"))) {
      assertTrue(matcher.accept().allowed().get(end));
    }
    try (TokenMatcher matcher = text.match(new Constraint.Regex("\"[^\"]{5,}\""))) {
      assertFalse(matcher.accept(text.encode("\"", false)).allowed().get(end));
    }
  }

  private static void assertRefused(Constraint constraint) {
    ModelException told =
        assertThrows(
            ModelException.class,
            () -> {
              try (TokenMatcher matcher = text.match(constraint)) {
                matcher.accept();
              }
            });
    assertEquals(ModelException.Kind.INVALID, told.kind(), told::toString);
  }

  @Test
  void whatCostsTooMuchIsRefused() {
    assertRefused(new Constraint.Regex("a?".repeat(20_000)));
  }

  @Test
  void whatMakesNoSenseIsRefused() {
    assertRefused(new Constraint.Regex("(a"));
    assertRefused(new Constraint.Regex("(?=a)b"));
    assertRefused(new Constraint.Lark("start: missing"));
    assertRefused(new Constraint.Lark("no grammar"));
    assertRefused(schema("{\"type\":\"integer\",\"minimum\":3,\"maximum\":2}"));
    assertRefused(schema("{\"allOf\":[{\"type\":\"string\"},{\"type\":\"null\"}]}"));
    assertRefused(schema("false"));
  }

  /** A stack of the usual size ends the JVM at 150 of these. */
  @ParameterizedTest
  @ValueSource(ints = {10, 90, 150, 700})
  void longChainsOfReferencesDoNoHarm(int length) {
    StringBuilder chain = new StringBuilder("{\"$ref\":\"#/$defs/d0\",\"$defs\":{");
    for (int i = 0; i < length; i++) {
      chain.append(
          "\"d%d\":{\"type\":\"object\",\"properties\":{\"x\":{\"$ref\":\"#/$defs/d%d\"}}},"
              .formatted(i, i + 1));
    }
    chain.append("\"d%d\":{\"type\":\"null\"}}}".formatted(length));
    try (TokenMatcher matcher = text.match(schema(chain.toString()))) {
      assertFalse(matcher.accept().allowed().isEmpty() && matcher.accept().forced().length == 0);
    } catch (ModelException e) {
      assertEquals(ModelException.Kind.INVALID, e.kind(), e::toString); // too large: said so
    }
  }

  @Test
  void oneIsClosedWhileItIsInACall() throws Exception {
    TokenMatcher matcher = text.match(new Constraint.AnyJson());
    Thread caller =
        Thread.ofPlatform()
            .start(
                () -> {
                  try {
                    for (int i = 0; i < 10_000; i++) {
                      matcher.accept();
                    }
                  } catch (IllegalStateException e) {
                    // closed meanwhile, as it may be
                  }
                });
    await().pollDelay(Duration.ofMillis(20)).until(() -> true);
    matcher.close();
    matcher.close();
    caller.join(Duration.ofSeconds(10));
    assertFalse(caller.isAlive());
    assertThrows(IllegalStateException.class, matcher::accept);
  }

  @Test
  void matchersOutliveTheirModel() {
    TokenMatcher left;
    try (PreparedModel other = runtime.prepare(new ModelId("smollm2-135m-instruct"))) {
      left = other.text().match(schema("{\"const\":\"still here\"}"));
    }
    assertTrue(left.accept().forced().length > 0);
    left.close();
  }
}
