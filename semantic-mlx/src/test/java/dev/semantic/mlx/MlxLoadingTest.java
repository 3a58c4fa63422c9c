package dev.semantic.mlx;

import static dev.semantic.mlx.testing.Refusal.assertRefused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.semantic.memory.ByteSize;
import dev.semantic.memory.MemoryAllocation;
import dev.semantic.memory.MemoryProbe;
import dev.semantic.mlx.array.LiveHandles;
import dev.semantic.mlx.checkpoint.Checkpoint;
import dev.semantic.mlx.checkpoint.Checkpoints;
import dev.semantic.mlx.models.ModelCatalog;
import dev.semantic.mlx.testing.RequiresModels;
import dev.semantic.mlx.testing.ResidentSet;
import dev.semantic.mlx.tokenizer.PendingCodec;
import dev.semantic.mlx.tokenizer.Tokenizers;
import dev.semantic.model.ModelException;
import dev.semantic.model.ModelId;
import dev.semantic.model.ModelSpec;
import dev.semantic.scripted.Elsewhere;
import dev.semantic.spi.LoadPriority;
import dev.semantic.spi.LoadProgress;
import dev.semantic.spi.LoadedModel;
import dev.semantic.spi.LoadedModel.Chunk;
import dev.semantic.spi.PreparedModel;
import dev.semantic.spi.Sequence;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Loads of real models, disturbed in every way; what is held, and what a restart does. */
@RequiresModels
class MlxLoadingTest {
  private static final ModelId SMOLLM2 = new ModelId("smollm2-135m-instruct");
  private static final ModelId GEMMA3 = new ModelId("gemma-3-270m");
  private static final long GEMMAS_EMBEDDING = 262_144L * 640 * Float.BYTES;

  private final MlxModelRuntime runtime = MlxModelRuntime.open();
  private long baseline;

  @BeforeEach
  void begin() {
    runtime.memory().releaseCached();
    baseline = runtime.memory().activeBytes();
  }

  @AfterEach
  void nothingIsLeft() {
    assertEquals(baseline, runtime.memory().activeBytes());
    assertEquals(List.of(), runtime.memory().holdings());
    runtime.close();
  }

  /** Else a model that fits would be in memory one and a half times while it is loaded. */
  @Test
  void pagesOfItsFileDoNotCountBesideAModel() throws IOException {
    try (PreparedModel prepared = runtime.prepare(GEMMA3)) {
      prepared.text();
      long before = ResidentSet.fileBytes();
      long file = prepared.spec().fileSize().bytes();
      prepared.readAhead(LoadProgress.NONE);
      assertTrue(ResidentSet.fileBytes() - before < file / 4, "read ahead");
      try (LoadedModel model = prepared.load(LoadProgress.NONE)) {
        assertTrue(ResidentSet.fileBytes() - before < file / 4, model.spec().id() + " loaded");
      }
    }
  }

  @Test
  void everyArrayIsToldOfWithItsOwner() {
    try (PreparedModel prepared = runtime.prepare(SMOLLM2);
        LoadedModel model = prepared.load(LoadProgress.NONE)) {
      List<MemoryAllocation> weights = runtime.memory().holdings();
      assertEquals("model.embed_tokens.weight", weights.getFirst().what());
      assertEquals(SMOLLM2.name(), weights.getFirst().owner());
      if (!runtime.mlx().gpu()) { // which holds them in other forms, and rounds what it allocates
        assertEquals("[49152, 576] float32", weights.getFirst().shape());
        assertEquals(49_152 * 576 * 4, weights.getFirst().size().bytes());
        assertEquals(model.bytes(), bytes(weights), "views of other arrays take nothing");
        assertEquals(prepared.spec().weightSize().bytes(), model.bytes());
        assertEquals(baseline + model.bytes(), runtime.memory().activeBytes());
      }
      try (Sequence sequence = model.open()) {
        forward(model, sequence, 1, 2, 3);
        List<MemoryAllocation> caches =
            runtime.memory().holdings().stream()
                .filter(allocation -> allocation.owner().contains("sequence"))
                .toList();
        assertEquals(sequence.bytes(), bytes(caches));
        assertEquals(2 * prepared.spec().layers(), caches.size());
        assertTrue(caches.getFirst().owner().startsWith(SMOLLM2.name()));
      }
      assertEquals(weights, runtime.memory().holdings());
    }
  }

  private static long bytes(List<MemoryAllocation> holdings) {
    return holdings.stream().mapToLong(allocation -> allocation.size().bytes()).sum();
  }

  /** At the first byte, in the middle of the largest tensor, and when only the token is missing. */
  @ParameterizedTest(name = "{0}, background {1}")
  @CsvSource({"0, true", "0, false", "0.2, true", "0.2, false", "1, true", "1, false"})
  void aCancelledLoadEndsThereAndLeavesNothing(double share, boolean background) {
    long handles = LiveHandles.count();
    try (PreparedModel prepared = runtime.prepare(GEMMA3)) {
      Interference cancelling =
          new Interference(
              background, (done, total) -> share == 0 || (total > 0 && done >= share * total));
      CancellationException thrown =
          assertThrows(CancellationException.class, () -> prepared.load(cancelling));
      assertTrue(String.valueOf(thrown.getMessage()).contains("called off"));
      assertEquals(handles, LiveHandles.count());
      assertEquals(baseline, runtime.memory().activeBytes());
      if (share < 0.5) {
        assertTrue(
            cancelling.done < GEMMAS_EMBEDDING, () -> cancelling.done + " bytes into one tensor");
      }
    }
  }

  @Test
  void aLoadAtFullSpeedAndAGentleOneComputeTheSame() {
    try (PreparedModel prepared = runtime.prepare(SMOLLM2)) {
      List<float[]> logits = new ArrayList<>();
      for (boolean background : List.of(true, false)) {
        try (LoadedModel model = prepared.load(new Interference(background, (a, b) -> false));
            Sequence sequence = model.open()) {
          logits.add(forward(model, sequence, 5, 6, 7, 8));
        }
      }
      assertArrayEquals(logits.get(0), logits.get(1));
    }
  }

  @Test
  void aListenerThatThrowsEndsTheLoadAndLeavesNothing() {
    ArithmeticException no = new ArithmeticException("no");
    LoadProgress broken =
        (done, total) -> {
          throw no;
        };
    try (PreparedModel prepared = runtime.prepare(SMOLLM2)) {
      assertSame(no, assertThrows(ArithmeticException.class, () -> prepared.load(broken)));
    }
  }

  /** Compiled code hears of a page that is gone only some calls later; so often enough. */
  @RepeatedTest(12)
  void aFileThatIsCutWhileItIsLoadedIsSaid(@TempDir Path directory) throws IOException {
    Path file = directory.resolve("cut.gguf");
    Files.copy(ModelCatalog.ofUser().resolve(SMOLLM2), file);
    try (PreparedModel prepared = runtime.prepare(new ModelId(file.toString()));
        FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      Interference cutting =
          new Interference(
              false,
              (done, total) -> {
                cut(channel);
                return false;
              });
      ModelException thrown = assertThrows(ModelException.class, () -> prepared.load(cutting));
      assertEquals(ModelException.Kind.CHANGED, thrown.kind());
      assertTrue(String.valueOf(thrown.getMessage()).contains("cut.gguf"));
      assertThrows(ModelException.class, () -> prepared.readAhead(LoadProgress.NONE));
    }
  }

  private static void cut(FileChannel channel) {
    try {
      channel.truncate(4096);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void aModelThatDoesNotFitIsRefusedBeforeMemoryIsTouched() {
    Checkpoint checkpoint = Checkpoints.open(ModelCatalog.ofUser().resolve(SMOLLM2));
    PendingCodec text = Tokenizers.open(checkpoint.path(), checkpoint.metadata());
    ModelSpec real;
    try (PreparedModel prepared = runtime.prepare(SMOLLM2)) {
      real = prepared.spec();
    }
    runtime.memory().resetPeak();
    try (PreparedModel huge =
        new MlxPreparedModel(
            runtime.mlx().session(),
            new OpenModels(runtime.mlx().session()),
            checkpoint,
            runtime.policy(checkpoint),
            weighing(real, ByteSize.ofGiB(1 << 20)),
            text)) {
      assertRefused(
          ModelException.class,
          () -> huge.load(LoadProgress.NONE),
          SMOLLM2.name(),
          "weights",
          "1024.0 TiB",
          "this machine has");
      assertEquals(baseline, runtime.memory().peakBytes());
    }
  }

  private static ModelSpec weighing(ModelSpec spec, ByteSize weights) {
    return new ModelSpec(
        spec.id(),
        spec.tag(),
        spec.architecture(),
        spec.parameters(),
        spec.hiddenSize(),
        spec.vocabularySize(),
        spec.contextLength(),
        spec.quantization(),
        spec.compute(),
        spec.kvLayout(),
        spec.kvPrecision(),
        spec.fileSize(),
        weights,
        spec.workingSize(),
        spec.chatTemplate(),
        spec.sampling());
  }

  /** MLX's figures know nothing of what the C library keeps for itself. */
  @Test
  void theMachineHasTheMemoryBackToo() throws IOException {
    for (ModelId id : List.of(SMOLLM2, GEMMA3)) {
      try (PreparedModel prepared = runtime.prepare(id)) {
        LoadedModel model = prepared.load(LoadProgress.NONE);
        long weights = model.bytes();
        long loaded = ResidentSet.bytes();
        model.close();
        runtime.memory().releaseCached();
        assumeTrue(loaded > 0, "only Linux tells");
        long back = loaded - ResidentSet.bytes();
        assertTrue(back > weights / 10 * 9, () -> "only " + back + " of " + weights + " for " + id);
      }
    }
  }

  @Test
  void aRestartEndsALoadThatIsUnderWay() throws Exception {
    Interference stopping = Interference.stoppingOnTheWay();
    try (PreparedModel prepared = runtime.prepare(GEMMA3)) {
      CompletableFuture<LoadedModel> load = Elsewhere.call(() -> prepared.load(stopping));
      stopping.awaitStopped();
      assertTrue(runtime.memory().activeBytes() > baseline);
      assertTrue(runtime.restart());
      assertEquals(baseline, runtime.memory().activeBytes());
      stopping.goOn.countDown();
      Throwable ended = load.handle((model, thrown) -> thrown).get(60, TimeUnit.SECONDS);
      assertRefused(
          CancellationException.class,
          () -> {
            throw ended;
          },
          GEMMA3.name(),
          "started over");
      try (LoadedModel again = prepared.load(LoadProgress.NONE);
          Sequence sequence = again.open()) {
        assertEquals(262_144, forward(again, sequence, 2).length);
      }
    }
  }

  @Test
  void whatWasClosedByARestartSaysSo() {
    try (PreparedModel prepared = runtime.prepare(SMOLLM2);
        LoadedModel model = prepared.load(LoadProgress.NONE);
        Sequence sequence = model.open()) {
      forward(model, sequence, 1, 2, 3);
      assertTrue(runtime.restart());
      assertEquals(0, runtime.memory().cachedBytes());
      String[] words = {SMOLLM2.name(), "started over", "load it again"};
      assertRefused(IllegalStateException.class, () -> forward(model, sequence, 4), words);
      assertRefused(IllegalStateException.class, model::open, words);
      assertThrows(IllegalStateException.class, sequence::snapshot);
      assertEquals(3, sequence.length());
    }
  }

  /** Another model computes at the same time, and its arrays come and go. */
  @Test
  void aCloseIsMeasuredExactlyWhileAnotherModelComputes() throws Exception {
    CountDownLatch computing = new CountDownLatch(3);
    try (PreparedModel prepared = runtime.prepare(SMOLLM2);
        LoadedModel leaving = prepared.load(LoadProgress.NONE);
        LoadedModel serving = prepared.load(LoadProgress.NONE)) {
      long size = leaving.bytes();
      boolean[] enough = new boolean[1];
      CompletableFuture<Integer> decoding =
          Elsewhere.call(
              () -> {
                int tokens = 0;
                while (!isTrue(enough)) {
                  try (Sequence sequence = serving.open()) {
                    forward(serving, sequence, 1 + tokens++ % 9, 2, 3);
                  }
                  computing.countDown();
                }
                return tokens;
              });
      assertTrue(computing.await(60, TimeUnit.SECONDS));
      MemoryProbe.Change change = runtime.memory().during(() -> close(leaving));
      setTrue(enough);
      assertTrue(decoding.get(60, TimeUnit.SECONDS) >= 3);
      assertEquals(size, change.before() - change.after());
    }
  }

  private static void close(LoadedModel model) {
    model.close();
  }

  private static synchronized boolean isTrue(boolean[] flag) {
    return flag[0];
  }

  private static synchronized void setTrue(boolean[] flag) {
    flag[0] = true;
  }

  private static float[] forward(LoadedModel model, Sequence sequence, int... tokens) {
    return model.forward(List.of(new Chunk(sequence, tokens, true))).getFirst();
  }

  /** Whether a load is to be cancelled. */
  private interface Cancel {
    boolean at(long done, long total);
  }

  /** Cancels or stops a load. */
  private static final class Interference implements LoadProgress {
    private final CountDownLatch stopped = new CountDownLatch(1);
    private final CountDownLatch goOn = new CountDownLatch(1);
    private final boolean background;
    private final Cancel cancel;
    private boolean stops;
    private volatile long done;
    private volatile long total;

    private Interference(boolean background, Cancel cancel) {
      this.background = background;
      this.cancel = cancel;
    }

    static Interference stoppingOnTheWay() {
      Interference stopping = new Interference(false, (done, total) -> false);
      stopping.stops = true;
      return stopping;
    }

    void awaitStopped() throws InterruptedException {
      assertTrue(stopped.await(60, TimeUnit.SECONDS), "the load never told of itself");
    }

    @Override
    public void update(long doneBytes, long totalBytes) {
      done = doneBytes;
      total = totalBytes;
      if (stops) {
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
      return cancel.at(done, total);
    }

    @Override
    public LoadPriority priority() {
      return background ? LoadPriority.BACKGROUND : LoadPriority.AT_ONCE;
    }
  }
}
