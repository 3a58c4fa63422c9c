package dev.semantic.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.memory.MemoryProbe;
import dev.semantic.model.ModelId;
import dev.semantic.scripted.Elsewhere;
import dev.semantic.spi.LoadPriority;
import dev.semantic.spi.LoadProgress;
import dev.semantic.spi.LoadedModel;
import dev.semantic.spi.LoadedModel.Chunk;
import dev.semantic.spi.ModelRuntime;
import dev.semantic.spi.PreparedModel;
import dev.semantic.spi.Sequence;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a runtime promises of loads and of its memory; the first part of its contract. */
abstract class LoadingContract {
  ModelRuntime runtime;
  long baseline;

  /** A runtime with nothing loaded. */
  protected abstract ModelRuntime open() throws Exception;

  protected abstract ModelId first();

  /** One with another geometry than {@link #first()}. */
  protected abstract ModelId second();

  /** Whether this runtime can be started over. It is held to what is said here. */
  protected boolean restarts() {
    return true;
  }

  @BeforeEach
  public final void openRuntime() throws Exception {
    runtime = open();
    runtime.memory().releaseCached();
    baseline = runtime.memory().activeBytes();
  }

  @AfterEach
  public final void nothingIsLeft() {
    try {
      assertEquals(baseline, runtime.memory().activeBytes(), "active bytes left behind");
    } finally {
      runtime.close();
    }
  }

  @Test
  public void anUnloadGivesBackWhatTheLoadTookAndCanBeRepeated() {
    try (PreparedModel prepared = runtime.prepare(first())) {
      for (int i = 0; i < 2; i++) {
        List<Long> done = new ArrayList<>();
        long[] total = new long[1];
        LoadProgress progress =
            (bytes, of) -> {
              done.add(bytes);
              total[0] = of;
            };
        try (LoadedModel model = prepared.load(progress)) {
          assertEquals(prepared.spec(), model.spec());
          long taken = runtime.memory().activeBytes() - baseline;
          long expected = prepared.spec().weightSize().bytes();
          assertEquals(1.0, (double) taken / expected, 0.02, "weights in memory");
          assertEquals(done.stream().sorted().toList(), done, "progress goes back");
          assertEquals(total[0], done.getLast(), "progress does not end at its total");
        }
        runtime.memory().releaseCached();
        assertEquals(baseline, runtime.memory().activeBytes());
      }
    }
  }

  @Test
  public void anotherModelFreesAllOfTheFormer() {
    long firstTook = loadAndClose(first());
    loadAndClose(second());
    assertEquals(1.0, (double) loadAndClose(first()) / firstTook, 0.001);
  }

  private long loadAndClose(ModelId id) {
    try (PreparedModel prepared = runtime.prepare(id)) {
      long taken;
      try (LoadedModel model = prepared.load(LoadProgress.NONE);
          Sequence sequence = model.open()) {
        taken = runtime.memory().activeBytes() - baseline;
        greedy(model, sequence, prompt(model, 20), 2);
      }
      runtime.memory().releaseCached();
      assertEquals(baseline, runtime.memory().activeBytes());
      return taken;
    }
  }

  @Test
  public void aLoadThatNobodyWantsIsRefusedAndLeavesNothing() {
    try (PreparedModel prepared = runtime.prepare(first())) {
      assertThrows(CancellationException.class, () -> prepared.load(new Watcher().cancelAt(0)));
      runtime.memory().releaseCached();
      assertEquals(baseline, runtime.memory().activeBytes());
      answers(prepared);
    }
  }

  /** Where it still came in time is the runtime's affair; that nothing is left is not. */
  @Test
  public void aLoadThatIsCancelledOnItsWayLeavesNothingAndCanBeRepeated() {
    try (PreparedModel prepared = runtime.prepare(first())) {
      Watcher watcher = new Watcher().cancelAt(0.3);
      try (LoadedModel tooLate = prepared.load(watcher)) {
        assertEquals(prepared.spec(), tooLate.spec());
      } catch (CancellationException e) {
        assertTrue(watcher.done.getLast() > 0, "cancelled before anything was loaded");
      }
      runtime.memory().releaseCached();
      assertEquals(baseline, runtime.memory().activeBytes());
      answers(prepared);
    }
  }

  private void answers(PreparedModel prepared) {
    try (LoadedModel model = prepared.load(LoadProgress.NONE);
        Sequence sequence = model.open()) {
      assertEquals(2, greedy(model, sequence, prompt(model, 5), 2).size());
    }
  }

  @Test
  public void aLoadedModelAnswersWhileAnotherIsBeingLoaded() throws Exception {
    Watcher watcher = new Watcher().stopOnTheWay();
    try (PreparedModel one = runtime.prepare(first());
        PreparedModel other = runtime.prepare(second());
        LoadedModel model = one.load(LoadProgress.NONE);
        Sequence before = model.open();
        Sequence meanwhile = model.open()) {
      int[] prompt = prompt(model, 12);
      List<Integer> expected = greedy(model, before, prompt, 3);
      CompletableFuture<LoadedModel> load = Elsewhere.call(() -> other.load(watcher));
      try {
        watcher.awaitStopped();
        assertEquals(
            expected,
            Elsewhere.call(() -> greedy(model, meanwhile, prompt, 3)).get(60, TimeUnit.SECONDS));
        assertFalse(load.isDone(), "it did not wait");
      } finally {
        watcher.goOn.countDown();
      }
      try (LoadedModel loaded = load.get(60, TimeUnit.SECONDS);
          Sequence sequence = loaded.open()) {
        assertEquals(3, greedy(loaded, sequence, prompt(loaded, 12), 3).size());
      }
    }
  }

  @Test
  public void aCloseIsMeasuredToTheByte() {
    try (PreparedModel prepared = runtime.prepare(first())) {
      LoadedModel model = prepared.load(LoadProgress.NONE);
      long loaded = runtime.memory().activeBytes();
      MemoryProbe.Change change =
          runtime
              .memory()
              .during(
                  () -> {
                    model.close();
                    runtime.memory().releaseCached();
                  });
      assertEquals(new MemoryProbe.Change(loaded, baseline), change);
    }
  }

  @Test
  public void aRestartFreesEverythingAndPreparedModelsStayGood() {
    try (PreparedModel prepared = runtime.prepare(first());
        LoadedModel model = prepared.load(LoadProgress.NONE);
        Sequence sequence = model.open()) {
      int[] prompt = prompt(model, 10);
      List<Integer> expected = greedy(model, sequence, prompt, 2);
      assertEquals(restarts(), runtime.restart());
      if (!restarts()) {
        assertEquals(2, greedy(model, sequence, prompt, 2).size());
        return;
      }
      assertEquals(baseline, runtime.memory().activeBytes());
      assertThrows(RuntimeException.class, () -> forward(model, sequence, prompt));
      try (LoadedModel again = prepared.load(LoadProgress.NONE);
          Sequence fresh = again.open()) {
        assertEquals(expected, greedy(again, fresh, prompt, 2));
      }
    }
  }

  @Test
  public void readingAheadTakesNoModelMemoryAndEndsAtItsTotal() {
    try (PreparedModel prepared = runtime.prepare(first())) {
      for (boolean background : List.of(true, false)) {
        Watcher watcher = new Watcher();
        watcher.background = background;
        prepared.readAhead(watcher);
        assertEquals(watcher.done.stream().sorted().toList(), watcher.done, "progress goes back");
        if (!watcher.done.isEmpty()) { // it is a hint, which may be ignored
          assertTrue(watcher.total > 0);
          assertEquals(watcher.total, watcher.done.getLast());
        }
        assertEquals(baseline, runtime.memory().activeBytes());
      }
      answers(prepared);
    }
  }

  /** Notes what it hears, and interferes. */
  static final class Watcher implements LoadProgress {
    final List<Long> done = Collections.synchronizedList(new ArrayList<>());
    final CountDownLatch stopped = new CountDownLatch(1);
    final CountDownLatch goOn = new CountDownLatch(1);
    volatile long total;
    volatile boolean background = true;
    private double share = 2;
    private boolean stops;

    /** Cancels once this share is there. */
    Watcher cancelAt(double value) {
      share = value;
      return this;
    }

    /** Whoever tells of some bytes waits until {@link #goOn}. */
    Watcher stopOnTheWay() {
      stops = true;
      return this;
    }

    void awaitStopped() throws InterruptedException {
      assertTrue(stopped.await(60, TimeUnit.SECONDS), "the load never told of itself");
    }

    @Override
    public void update(long doneBytes, long totalBytes) {
      done.add(doneBytes);
      total = totalBytes;
      if (stops && doneBytes > 0) {
        stopped.countDown();
        try {
          assertTrue(goOn.await(60, TimeUnit.SECONDS), "nobody let the load go on");
        } catch (InterruptedException e) {
          throw new IllegalStateException(e);
        }
      }
    }

    @Override
    public boolean isCancelled() {
      return share == 0 || (total > 0 && done.getLast() >= share * total);
    }

    @Override
    public LoadPriority priority() {
      return background ? LoadPriority.BACKGROUND : LoadPriority.AT_ONCE;
    }
  }

  /** Something to do with a model. */
  protected interface Use {
    void of(LoadedModel model);
  }

  protected final ModelRuntime runtime() {
    return runtime;
  }

  protected final void with(ModelId id, Use use) {
    try (PreparedModel prepared = runtime.prepare(id);
        LoadedModel model = prepared.load(LoadProgress.NONE)) {
      use.of(model);
    }
  }

  static int[] prompt(LoadedModel model, int length) {
    int[] prompt = new int[length];
    for (int i = 0; i < length; i++) {
      prompt[i] = 20 + (i * 37 + length) % (Math.min(model.spec().vocabularySize(), 1000) - 20);
    }
    return prompt;
  }

  static float[] forward(LoadedModel model, Sequence sequence, int[] tokens) {
    return model.forward(List.of(new Chunk(sequence, tokens, true))).getFirst();
  }

  static List<Integer> greedy(LoadedModel model, Sequence sequence, int[] tokens, int count) {
    List<Integer> said = new ArrayList<>();
    float[] logits = forward(model, sequence, tokens);
    while (true) {
      said.add(argmax(logits));
      if (said.size() == count) {
        return said;
      }
      logits = forward(model, sequence, new int[] {said.getLast()});
    }
  }

  static int argmax(float[] logits) {
    int best = 0;
    for (int i = 1; i < logits.length; i++) {
      if (logits[i] > logits[best]) {
        best = i;
      }
    }
    return best;
  }
}
