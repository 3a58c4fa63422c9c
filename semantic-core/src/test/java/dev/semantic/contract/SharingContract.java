package dev.semantic.contract;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.kv.AgentId;
import dev.semantic.kv.KvSnapshot;
import dev.semantic.kv.KvSnapshotHeader;
import dev.semantic.model.ModelId;
import dev.semantic.model.ModelTag;
import dev.semantic.spi.KvAllocation;
import dev.semantic.spi.LoadedModel;
import dev.semantic.spi.LoadedModel.Chunk;
import dev.semantic.spi.Sequence;
import dev.semantic.store.MemoryCacheStore;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/**
 * What a runtime promises whose sequences share what they begin with, and read caches into memory
 * of their own. Whoever extends this claims that: nothing here asks the runtime what it can, or one
 * that has lost it would be green.
 */
public abstract class SharingContract extends ModelRuntimeContract {
  private static final float TOLERANCE = 1e-2f; // of a logit, between ways to compute it
  private static final AgentId AGENT = new AgentId("agent");
  private static final int[] FORKS = {1, 8, 31, 40};

  private static Sequence fork(Sequence donor, int tokens) {
    return donor.fork(tokens).orElseThrow();
  }

  private static float[] cold(LoadedModel model, int[] tokens) {
    try (Sequence fresh = model.open()) {
      return forward(model, fresh, tokens);
    }
  }

  private static int[] other(LoadedModel model, int[] prompt, int kept) {
    int[] changed = Arrays.copyOf(prompt, kept + 5);
    int[] rest = prompt(model, 70);
    System.arraycopy(rest, 64, changed, kept, 5);
    return changed;
  }

  @Test
  public void aForkGoesOnAsIfItHadBeenComputed() {
    for (int shared : FORKS) {
      with(
          first(),
          model -> {
            int[] prompt = prompt(model, 40);
            int[] changed = other(model, prompt, shared);
            try (Sequence donor = model.open()) {
              forward(model, donor, prompt);
              try (Sequence fork = fork(donor, shared)) {
                assertArrayEquals(Arrays.copyOf(prompt, shared), fork.tokens());
                float[] next =
                    forward(model, fork, Arrays.copyOfRange(changed, shared, shared + 5));
                assertArrayEquals(cold(model, changed), next, TOLERANCE);
                assertEquals(shared + 5, fork.length());
              }
              assertArrayEquals(prompt, donor.tokens());
              int[] longer = other(model, prompt, 40);
              float[] next = forward(model, donor, Arrays.copyOfRange(longer, 40, 45));
              assertArrayEquals(cold(model, longer), next, TOLERANCE);
            }
          });
    }
  }

  @Test
  public void whoeverIsClosedFirstTheOthersGoOn() {
    with(
        first(),
        model -> {
          int[] prompt = prompt(model, 40);
          Sequence donor = model.open();
          forward(model, donor, prompt);
          Sequence fork = fork(donor, 30);
          forward(model, fork, Arrays.copyOfRange(other(model, prompt, 30), 30, 35));
          try (Sequence child = fork(fork, 33);
              Sequence grandchild = fork(child, 20)) {
            donor.close();
            fork.close();
            int[] its = Arrays.copyOf(other(model, prompt, 30), 34);
            assertArrayEquals(
                cold(model, its),
                forward(model, child, Arrays.copyOfRange(its, 33, 34)),
                TOLERANCE);
            int[] another = other(model, prompt, 20);
            assertArrayEquals(
                cold(model, another),
                forward(model, grandchild, Arrays.copyOfRange(another, 20, 25)),
                TOLERANCE);
          }
        });
  }

  @Test
  public void whatIsSharedIsNotChangedByWhoForgetsPartOfIt() {
    with(
        first(),
        model -> {
          int[] prompt = prompt(model, 40);
          try (Sequence donor = model.open()) {
            forward(model, donor, prompt);
            try (Sequence fork = fork(donor, 30)) {
              assertTrue(fork.trim(12));
              int[] changed = other(model, prompt, 12);
              float[] next = forward(model, fork, Arrays.copyOfRange(changed, 12, 17));
              assertArrayEquals(cold(model, changed), next, TOLERANCE);
              assertTrue(donor.trim(25));
              assertTrue(fork.trim(0));
              assertArrayEquals(cold(model, prompt), forward(model, fork, prompt), TOLERANCE);
            }
            int[] rest = Arrays.copyOfRange(prompt, 25, 40);
            assertArrayEquals(cold(model, prompt), forward(model, donor, rest), TOLERANCE);
          }
        });
  }

  @Test
  public void aSnapshotOfPartsGoesOnBitForBit() {
    with(
        first(),
        model -> {
          int[] prompt = prompt(model, 40);
          try (Sequence donor = model.open()) {
            forward(model, donor, prompt);
            try (Sequence fork = fork(donor, 30);
                Sequence whole = fork(donor, 40)) {
              forward(model, fork, Arrays.copyOfRange(other(model, prompt, 30), 30, 35));
              for (Sequence parted : List.of(donor, fork, whole)) {
                KvSnapshot snapshot = parted.snapshot();
                int[] next = Arrays.copyOf(prompt, 3);
                float[] expected = forward(model, parted, next);
                try (Sequence back = model.restore(snapshot)) {
                  assertArrayEquals(expected, forward(model, back, next), 0f);
                }
              }
            }
          }
        });
  }

  /** Memory that takes a snapshot as a store would read it. */
  private static Optional<KvSnapshotHeader> move(KvSnapshot snapshot, KvAllocation allocation) {
    MemoryCacheStore store = new MemoryCacheStore();
    store.park(AGENT, snapshot);
    return store.read(AGENT, snapshot.tag(), allocation);
  }

  @Test
  public void whatIsReadIntoAVacancyGoesOnBitForBit() {
    for (ModelId id : List.of(first(), second())) {
      with(
          id,
          model -> {
            for (int length : new int[] {1, 5, 31, 40}) {
              int[] prompt = prompt(model, length);
              try (Sequence left = model.open();
                  KvAllocation allocation = model.allocateKv().orElseThrow()) {
                forward(model, left, prompt);
                KvSnapshotHeader header = move(left.snapshot(), allocation).orElseThrow();
                assertArrayEquals(prompt, header.tokens());
                try (Sequence back = allocation.commit()) {
                  assertArrayEquals(prompt, back.tokens());
                  for (int[] next : new int[][] {{prompt[0]}, prompt, {prompt[0]}}) {
                    assertArrayEquals(forward(model, left, next), forward(model, back, next), 0f);
                  }
                }
              }
            }
          });
    }
  }

  @Test
  public void aVacancyThatIsNotOccupiedLeavesNothing() {
    with(
        first(),
        model -> {
          try (Sequence left = model.open()) {
            forward(model, left, prompt(model, 40));
            KvSnapshot snapshot = left.snapshot();
            long before = runtime.memory().activeBytes();
            try (KvAllocation allocation = model.allocateKv().orElseThrow()) {
              assertTrue(move(snapshot, allocation).isPresent());
              assertTrue(runtime.memory().activeBytes() > before, "it takes memory");
              assertThrows(IllegalStateException.class, () -> move(snapshot, allocation));
            }
            runtime.memory().releaseCached();
            assertEquals(before, runtime.memory().activeBytes());
            try (KvAllocation empty = model.allocateKv().orElseThrow()) {
              assertThrows(IllegalStateException.class, empty::commit);
            }
          }
        });
  }

  @Test
  public void aVacancyTakesNoOtherModelsCache() {
    with(
        first(),
        model -> {
          try (Sequence left = model.open();
              KvAllocation allocation = model.allocateKv().orElseThrow()) {
            forward(model, left, prompt(model, 4));
            KvSnapshot own = left.snapshot();
            ModelTag other = new ModelTag(own.tag().model(), "0f".repeat(32));
            KvSnapshot foreign =
                new KvSnapshot(other, own.layout(), own.precision(), own.tokens(), own.layers());
            assertThrows(IllegalArgumentException.class, () -> move(foreign, allocation));
          }
        });
  }

  @Test
  public void forksInOneBatchDoNotSeeEachOther() {
    with(
        first(),
        model -> {
          int[] prompt = prompt(model, 40);
          try (Sequence donor = model.open()) {
            forward(model, donor, prompt);
            try (Sequence fork = fork(donor, 30);
                Sequence other = fork(donor, 20)) {
              int[] one = {prompt[3]};
              List<float[]> logits =
                  model.forward(
                      List.of(
                          new Chunk(donor, one, true),
                          new Chunk(fork, one, true),
                          new Chunk(other, one, true)));
              int[] lengths = {40, 30, 20};
              for (int i = 0; i < 3; i++) {
                int[] alone = Arrays.copyOf(prompt, lengths[i] + 1);
                alone[lengths[i]] = one[0];
                assertArrayEquals(cold(model, alone), logits.get(i), TOLERANCE);
              }
            }
          }
        });
  }

  @Test
  public void moreThanThereIsCannotBeShared() {
    with(
        second(),
        model -> {
          try (Sequence donor = model.open()) {
            forward(model, donor, prompt(model, 4));
            assertThrows(IllegalArgumentException.class, () -> donor.fork(5));
            assertThrows(IllegalArgumentException.class, () -> donor.fork(0));
          }
        });
  }
}
