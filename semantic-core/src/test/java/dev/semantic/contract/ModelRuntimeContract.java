package dev.semantic.contract;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.kv.KvSnapshot;
import dev.semantic.model.ModelException;
import dev.semantic.model.ModelId;
import dev.semantic.model.ModelSpec;
import dev.semantic.spi.LoadProgress;
import dev.semantic.spi.LoadedModel;
import dev.semantic.spi.LoadedModel.Chunk;
import dev.semantic.spi.PreparedModel;
import dev.semantic.spi.Sequence;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * What every {@link dev.semantic.spi.ModelRuntime} promises. A subclass names one, and two models
 * of other weights; one that can share extends {@link SharingContract}.
 */
public abstract class ModelRuntimeContract extends LoadingContract {
  private static final double TOLERANCE = 1e-2; // of a logit, between ways to compute it

  @Test
  public void preparingTakesNoModelMemory() {
    try (PreparedModel prepared = runtime.prepare(first())) {
      assertEquals(first(), prepared.spec().id());
      assertEquals(baseline, runtime.memory().activeBytes());
      assertTrue(prepared.spec().weightSize().bytes() > 0);
      assertFalse(prepared.text().endTokens().isEmpty());
    }
  }

  @Test
  public void anUnknownModelIsRefusedByName() {
    ModelId nowhere = new ModelId("no-such-model-anywhere");
    var failure = assertThrows(ModelException.class, () -> runtime.prepare(nowhere));
    assertTrue(String.valueOf(failure.getMessage()).contains(nowhere.name()), failure::toString);
  }

  @Test
  public void modelsOfOtherWeightsHaveOtherTags() {
    try (PreparedModel one = runtime.prepare(first());
        PreparedModel other = runtime.prepare(second());
        PreparedModel again = runtime.prepare(first())) {
      assertNotEquals(one.spec().tag(), other.spec().tag());
      assertEquals(one.spec(), again.spec());
    }
  }

  @Test
  public void textComesBackFromItsTokens() {
    try (PreparedModel prepared = runtime.prepare(first())) {
      String text = "The quick brown fox, 42 — naïve 漢字 🙂";
      int[] tokens = prepared.text().encode(text, false);
      assertEquals(text, prepared.text().decode(tokens));
      var stream = prepared.text().stream(false);
      StringBuilder streamed = new StringBuilder();
      for (int token : tokens) {
        streamed.append(stream.next(token));
      }
      assertEquals(text, streamed.append(stream.rest()).toString());
    }
  }

  @Test
  public void aPromptInChunksIsThePromptAtOnce() {
    with(
        second(),
        model -> {
          int[] prompt = prompt(model, 60);
          try (Sequence whole = model.open();
              Sequence parts = model.open()) {
            float[] expected = forward(model, whole, prompt);
            for (int from = 0; from < 56; from += 7) {
              Chunk chunk = new Chunk(parts, Arrays.copyOfRange(prompt, from, from + 7), false);
              assertEquals(0, model.forward(List.of(chunk)).getFirst().length);
            }
            float[] actual = forward(model, parts, Arrays.copyOfRange(prompt, 56, 60));
            assertEquals(model.spec().vocabularySize(), actual.length);
            assertArrayEquals(expected, actual, (float) TOLERANCE);
            assertArrayEquals(prompt, parts.tokens());
            assertEquals(60, whole.length());
          }
        });
  }

  @Test
  public void sequencesInOneBatchDoNotSeeEachOther() {
    with(
        first(),
        model -> {
          int[] one = prompt(model, 11);
          int[] other = prompt(model, 25);
          List<Integer> oneAlone;
          List<Integer> otherAlone;
          try (Sequence a = model.open();
              Sequence b = model.open()) {
            oneAlone = greedy(model, a, one, 4);
            otherAlone = greedy(model, b, other, 4);
          }
          try (Sequence a = model.open();
              Sequence b = model.open()) {
            int nextA = argmax(forward(model, a, one));
            int nextB = argmax(forward(model, b, other));
            List<Integer> saidA = new ArrayList<>(List.of(nextA));
            List<Integer> saidB = new ArrayList<>(List.of(nextB));
            while (saidA.size() < 4) {
              List<float[]> logits =
                  model.forward(
                      List.of(
                          new Chunk(a, new int[] {saidA.getLast()}, true),
                          new Chunk(b, new int[] {saidB.getLast()}, true)));
              saidA.add(argmax(logits.get(0)));
              saidB.add(argmax(logits.get(1)));
            }
            assertEquals(oneAlone, saidA);
            assertEquals(otherAlone, saidB);
          }
        });
  }

  @Test
  public void aTrimmedSequenceGoesOnAsIfTheRestHadNeverBeen() {
    with(
        first(),
        model -> {
          int[] prompt = prompt(model, 30);
          try (Sequence fresh = model.open();
              Sequence trimmed = model.open()) {
            forward(model, trimmed, prompt);
            forward(model, trimmed, Arrays.copyOf(prompt, 5));
            assertTrue(trimmed.trim(30));
            assertTrue(trimmed.trim(20));
            assertEquals(20, trimmed.length());
            assertArrayEquals(Arrays.copyOf(prompt, 20), trimmed.tokens());
            int[] rest = Arrays.copyOfRange(prompt, 20, 30);
            assertEquals(greedy(model, fresh, prompt, 3), greedy(model, trimmed, rest, 3));
          }
        });
  }

  @Test
  public void aSnapshotGoesOnInTheSameModelLoadedAgain() {
    for (ModelId id : List.of(first(), second())) {
      try (PreparedModel prepared = runtime.prepare(id)) {
        KvSnapshot snapshot;
        List<Integer> expected;
        int[] last;
        try (LoadedModel model = prepared.load(LoadProgress.NONE);
            Sequence sequence = model.open()) {
          int[] prompt = prompt(model, 40);
          forward(model, sequence, Arrays.copyOf(prompt, 39));
          last = new int[] {prompt[39]};
          snapshot = sequence.snapshot();
          expected = greedy(model, sequence, last, 5);
        }
        describes(prepared.spec(), snapshot);
        try (LoadedModel model = prepared.load(LoadProgress.NONE);
            Sequence back = model.restore(snapshot);
            Sequence twice = model.restore(snapshot)) {
          assertArrayEquals(snapshot.tokens(), back.tokens());
          assertEquals(39, back.length());
          assertEquals(expected, greedy(model, back, last, 5), id + " forgot");
          assertEquals(expected, greedy(model, twice, last, 5), "the snapshot was used up");
          assertEquals(snapshot.bytes(), model.restore(snapshot).snapshot().bytes());
        }
      }
    }
  }

  private static void describes(ModelSpec spec, KvSnapshot snapshot) {
    assertEquals(spec.tag(), snapshot.tag());
    assertEquals(spec.kvLayout(), snapshot.layout());
    assertEquals(spec.kvPrecision(), snapshot.precision());
    assertEquals(39, snapshot.tokens().length);
  }

  @Test
  public void aForeignSnapshotIsRefusedAndChangesNothing() {
    KvSnapshot[] foreign = new KvSnapshot[1];
    with(
        second(),
        model -> {
          try (Sequence sequence = model.open()) {
            forward(model, sequence, prompt(model, 10));
            foreign[0] = sequence.snapshot();
          }
        });
    with(
        first(),
        model -> {
          long before = runtime.memory().activeBytes();
          assertThrows(IllegalArgumentException.class, () -> model.restore(foreign[0]));
          KvSnapshot f = foreign[0];
          KvSnapshot renamed =
              new KvSnapshot(model.spec().tag(), f.layout(), f.precision(), f.tokens(), f.layers());
          assertThrows(IllegalArgumentException.class, () -> model.restore(renamed));
          assertEquals(before, runtime.memory().activeBytes());
        });
  }

  @Test
  public void closingAModelFreesItsSequencesAndEndsTheirUse() {
    try (PreparedModel prepared = runtime.prepare(first())) {
      LoadedModel model = prepared.load(LoadProgress.NONE);
      Sequence sequence = model.open();
      int[] prompt = prompt(model, 10);
      forward(model, sequence, prompt);
      model.close();
      model.close();
      runtime.memory().releaseCached();
      assertEquals(baseline, runtime.memory().activeBytes());
      assertThrows(IllegalStateException.class, () -> forward(model, sequence, prompt));
      assertThrows(IllegalStateException.class, model::open);
      sequence.close();
    }
  }
}
