package dev.semantic.engine;

import static dev.semantic.scripted.ScriptedHost.PATIENCE;
import static dev.semantic.scripted.ScriptedHost.assertSays;
import static dev.semantic.scripted.ScriptedHost.tokens;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.semantic.generate.Generation;
import dev.semantic.generate.GenerationRequest;
import dev.semantic.generate.Prompt;
import dev.semantic.generate.RequestException;
import dev.semantic.generate.Sampling;
import dev.semantic.kv.AgentId;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.PortCall;
import dev.semantic.scripted.Script;
import dev.semantic.scripted.ScriptedHost;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A model that computes no numbers, or not as many as it says: nobody is told a made-up token. */
class NoNumbersTest {
  private static final float INFINITE = Float.POSITIVE_INFINITY;
  private static final List<Sampling> SAMPLINGS =
      List.of(
          Sampling.GREEDY,
          Sampling.GREEDY.withRepetitionPenalty(1.5),
          Sampling.GREEDY.withTemperature(1),
          Sampling.GREEDY.withTemperature(0.7).withTopK(3),
          Sampling.GREEDY.withTemperature(2).withTopP(0.5),
          Sampling.GREEDY.withTemperature(1e-9).withMinP(0.1));

  @RegisterExtension final ScriptedHost host = ScriptedHost.serving(Geometry.ALPHA);

  enum Broken {
    NOT_A_NUMBER,
    ONE_IS_NOT_A_NUMBER,
    THE_FIRST_IS_NOT_A_NUMBER,
    THE_LAST_IS_NOT_A_NUMBER,
    INFINITE_ALL,
    INFINITE_ONE,
    NONE_POSSIBLE,
    TOO_FEW,
    TOO_MANY,
    EMPTY;

    float[] of(float[] given) {
      float[] logits = given.clone();
      return switch (this) {
        case NOT_A_NUMBER -> filled(logits, Float.NaN);
        case ONE_IS_NOT_A_NUMBER -> with(logits, 17, Float.NaN);
        case THE_FIRST_IS_NOT_A_NUMBER -> with(logits, 0, Float.NaN);
        case THE_LAST_IS_NOT_A_NUMBER -> with(logits, logits.length - 1, Float.NaN);
        case INFINITE_ALL -> filled(logits, INFINITE);
        case INFINITE_ONE -> with(logits, 3, INFINITE);
        case NONE_POSSIBLE -> filled(logits, -INFINITE);
        case TOO_FEW -> Arrays.copyOf(logits, logits.length - 1);
        case TOO_MANY -> Arrays.copyOf(logits, logits.length + 1);
        case EMPTY -> new float[0];
      };
    }

    private static float[] filled(float[] logits, float value) {
      Arrays.fill(logits, value);
      return logits;
    }

    private static float[] with(float[] logits, int at, float value) {
      logits[at] = value;
      return logits;
    }
  }

  static Stream<Object[]> everyWayAndSampling() {
    return Arrays.stream(Broken.values())
        .flatMap(way -> SAMPLINGS.stream().map(sampling -> new Object[] {way, sampling}));
  }

  @ParameterizedTest
  @MethodSource("everyWayAndSampling")
  void theRequestFailsAndSaysSo(Broken way, Sampling sampling) {
    host.runtime.onLogits(all -> all.stream().map(way::of).toList());
    Generation asked = host.ask(drawn(sampling));
    RequestException told = assertThrows(RequestException.class, () -> asked.await(PATIENCE));
    assertEquals(RequestException.Kind.FAILED, told.kind(), told::toString);
    assertSays("logit", told);
    host.runtime.onLogits(all -> all);
    assertEquals(5, host.ask("ada", tokens(9, 1)).tokens().size());
  }

  private static GenerationRequest drawn(Sampling sampling) {
    return GenerationRequest.of(new Prompt.Tokens(tokens(9, 1)))
        .agent(new AgentId("ada"))
        .sampling(sampling)
        .ignoreEos(true)
        .maxTokens(5)
        .build();
  }

  @Test
  void aTokenThatIsImpossibleIsNotDrawnAndTheOthersAre() {
    host.runtime.onLogits(all -> all.stream().map(NoNumbersTest::withoutTheBest).toList());
    for (Sampling sampling : SAMPLINGS) {
      List<Integer> said = host.registry.generate(drawn(sampling)).await(PATIENCE).tokens();
      assertEquals(5, said.size());
    }
  }

  private static float[] withoutTheBest(float[] logits) {
    float[] changed = logits.clone();
    for (int i = 0; i < changed.length; i++) {
      changed[i] = i >= 20 && i < 30 ? i / 10f : -INFINITE;
    }
    return changed;
  }

  @ParameterizedTest
  @MethodSource("everyWayAndSampling")
  void othersInTheBatchGoOn(Broken way, Sampling sampling) throws Exception {
    Script.Hold step = host.script.hold(PortCall.FORWARD);
    Generation first = host.ask(endless(3));
    step.awaitReached();
    var drawn =
        GenerationRequest.of(new Prompt.Tokens(tokens(9, 1)))
            .sampling(sampling)
            .ignoreEos(true)
            .maxTokens(20)
            .build();
    Generation one = host.ask(drawn);
    Generation other = host.ask(endless(2));
    host.runtime.onLogits(all -> all.size() < 3 ? all : lastBroken(all, way));
    step.release();
    List<Generation> all = List.of(first, one, other);
    long failed = all.stream().filter(NoNumbersTest::failed).count();
    assertEquals(1, failed, "of three in one batch");
  }

  private static GenerationRequest endless(int seed) {
    return GenerationRequest.of(new Prompt.Tokens(tokens(9, seed)))
        .ignoreEos(true)
        .maxTokens(20)
        .build();
  }

  private static List<float[]> lastBroken(List<float[]> all, Broken way) {
    List<float[]> changed = new ArrayList<>(all);
    changed.set(2, way.of(all.getLast()));
    return changed;
  }

  private static boolean failed(Generation generation) {
    try {
      generation.await(PATIENCE);
      return false;
    } catch (RequestException told) {
      assertEquals(RequestException.Kind.FAILED, told.kind(), told::toString);
      return true;
    }
  }

  @Test
  void whereAnswersAreMissingNobodyGetsAnothersAndTheEngineGoesOn() throws Exception {
    Script.Hold step = host.script.hold(PortCall.FORWARD);
    Generation one = host.ask(endless(1));
    step.awaitReached();
    Generation other = host.ask(endless(2));
    host.runtime.onLogits(all -> all.size() < 2 ? all : all.subList(0, 1));
    step.release();
    for (Generation each : List.of(one, other)) {
      RequestException told = assertThrows(RequestException.class, () -> each.await(PATIENCE));
      assertEquals(RequestException.Kind.FAILED, told.kind());
      assertSays("1 answers to 2", told);
    }
    host.runtime.onLogits(all -> all);
    assertEquals(5, host.ask("ada", tokens(9, 1)).tokens().size());
  }
}
