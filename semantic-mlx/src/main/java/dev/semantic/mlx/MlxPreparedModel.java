package dev.semantic.mlx;

import dev.semantic.mlx.array.MlxSession;
import dev.semantic.mlx.array.Scope;
import dev.semantic.mlx.checkpoint.Checkpoint;
import dev.semantic.mlx.checkpoint.LostPages;
import dev.semantic.mlx.layers.Transformer;
import dev.semantic.mlx.load.ComputePolicy;
import dev.semantic.mlx.load.LoadThrottle;
import dev.semantic.mlx.load.ReadAhead;
import dev.semantic.mlx.load.WeightAllocator;
import dev.semantic.mlx.load.WeightReader;
import dev.semantic.mlx.tokenizer.ChatTokenizer;
import dev.semantic.mlx.tokenizer.SharedCodec;
import dev.semantic.model.ModelException;
import dev.semantic.model.ModelSpec;
import dev.semantic.spi.LoadProgress;
import dev.semantic.spi.LoadedModel;
import dev.semantic.spi.PreparedModel;
import dev.semantic.spi.Sequence;
import dev.semantic.spi.Tokenizer;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;

/**
 * A checkpoint that was found good. Its tokenizer is still being made then: that takes longer than
 * all else for a large vocabulary, and as long as a load.
 */
final class MlxPreparedModel implements PreparedModel {
  private final MlxSession session;
  private final OpenModels models;
  private final AtomicBoolean closed = new AtomicBoolean();
  private final Checkpoint checkpoint;
  private final ComputePolicy policy;
  private final ModelSpec spec;
  private final Executor aside;
  private final CompletableFuture<ChatTokenizer> text;

  MlxPreparedModel(
      MlxSession session,
      OpenModels models,
      Checkpoint checkpoint,
      ComputePolicy policy,
      ModelSpec spec,
      Supplier<ChatTokenizer> text) {
    this.session = session;
    this.models = models;
    this.checkpoint = checkpoint;
    this.policy = policy;
    this.spec = spec;
    this.aside = Thread.ofPlatform().daemon().name("semantic-tokenizer " + spec.id())::start;
    this.text =
        CompletableFuture.supplyAsync(
            () -> new SharedCodec(text.get()),
            Thread.ofPlatform().daemon().name("semantic-tokenizer " + spec.id())::start);
    models.add(this);
  }

  @Override
  public ModelSpec spec() {
    return spec;
  }

  @Override
  public Tokenizer text() {
    try {
      return text.get();
    } catch (ExecutionException e) {
      throw e.getCause() instanceof ModelException known
          ? new ModelException(known.kind(), String.valueOf(known.getMessage()), known)
          : new ModelException(
              ModelException.Kind.FAILED, "The tokenizer cannot be made: " + e.getCause(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ModelException(
          ModelException.Kind.FAILED, "Interrupted while the tokenizer was made", e);
    }
  }

  @Override
  public void readAhead(LoadProgress progress) {
    checkpoint.verifyUnchanged();
    LostPages.guarded(
        checkpoint.path(),
        () -> {
          ReadAhead.of(checkpoint, progress, throttle(0));
          return spec;
        });
  }

  /**
   * Gentle while MLX's thread is busy. Where nothing but {@code ours} is in memory, whoever is
   * served is served by another process, at times that nobody here knows of.
   */
  private LoadThrottle throttle(int ours) {
    return new LoadThrottle(() -> session.owner().isBusy() || session.openScopes() <= ours);
  }

  /**
   * In three parts, of which only the first and the last, each as short as a step of decoding, are
   * MLX's thread's: memory and layers; numbers; a token.
   */
  @Override
  public LoadedModel load(LoadProgress progress) {
    checkpoint.verifyUnchanged();
    requireWanted(progress);
    Scope scope = session.owner().call(() -> session.scope(spec.id().name()));
    try {
      models.add(scope);
      session.requireRoom(spec.weightSize().bytes(), "Its weights");
      Empty empty = session.owner().call(() -> allocate(scope));
      empty.numbers().read(progress, throttle(1));
      checkpoint.verifyUnchanged();
      requireWanted(progress);
      return session.owner().call(() -> finish(scope, empty));
    } catch (RuntimeException | Error e) {
      throw abandon(scope, e);
    }
  }

  private void requireWanted(LoadProgress progress) {
    if (progress.isCancelled()) {
      throw new CancellationException("Loading %s was called off".formatted(spec.id()));
    }
  }

  /** All of a model but its numbers. */
  private record Empty(Transformer transformer, WeightReader numbers) {}

  private Empty allocate(Scope scope) {
    WeightAllocator weights = new WeightAllocator(scope, checkpoint, policy);
    Transformer transformer = new Transformer(checkpoint.decoder(), weights);
    return new Empty(transformer, weights.allocate());
  }

  private MlxLoadedModel finish(Scope scope, Empty empty) {
    scope.endWriting();
    MlxLoadedModel model =
        new MlxLoadedModel(
            session,
            models,
            spec,
            policy.activations(),
            scope,
            empty.transformer(),
            empty.numbers().totalBytes());
    warmUp(model);
    return model;
  }

  /** Leaves nothing in memory; says what became of the load. */
  private RuntimeException abandon(Scope scope, Throwable why) {
    boolean takenAway = scope.isClosed();
    models.remove(scope);
    try {
      session.owner().run(scope::close);
    } catch (RuntimeException e) {
      why.addSuppressed(e);
    }
    if (takenAway) {
      CancellationException cancelled =
          new CancellationException(
              "The runtime was started over or closed while %s was loaded".formatted(spec.id()));
      cancelled.initCause(why);
      return cancelled;
    }
    if (why instanceof InternalError e) {
      return LostPages.refusal(checkpoint.path(), e);
    }
    if (why instanceof Error e) {
      throw e;
    }
    return why instanceof MlxException
        ? new ModelException(
            ModelException.Kind.of(why),
            "Cannot load %s from %s: %s".formatted(spec.id(), checkpoint.path(), why.getMessage()),
            why)
        : (RuntimeException) why;
  }

  /**
   * A model is loaded when a token has come out of it, MLX is lazy until then; and it is a model
   * when tokens of different input differ. One row of its vocabulary may well be empty, and alone
   * gives the same logit everywhere; all of some that lie apart are not.
   */
  private void warmUp(MlxLoadedModel model) {
    int third = spec.vocabularySize() / 3;
    float[] first = answer(model, 0);
    boolean alike =
        spec.vocabularySize() > 1
            && Arrays.equals(first, answer(model, third))
            && Arrays.equals(first, answer(model, 2 * third));
    if (alike) {
      throw noModel("it answers every token alike");
    }
  }

  private float[] answer(MlxLoadedModel model, int token) {
    try (Sequence sequence = model.open()) {
      LoadedModel.Chunk chunk = new LoadedModel.Chunk(sequence, new int[] {token}, true);
      float[] logits = model.forward(List.of(chunk)).getFirst();
      for (int i = 0; i < logits.length; i++) {
        if (!Float.isFinite(logits[i])) {
          throw noModel("its logit of token %d is %s".formatted(i, logits[i]));
        }
      }
      return logits;
    }
  }

  private ModelException noModel(String seen) {
    return new ModelException(
        ModelException.Kind.DAMAGED,
        "Cannot load %s from %s: its weights compute no answer, %s. Fetch it again."
            .formatted(spec.id(), checkpoint.path(), seen));
  }

  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      models.remove(this);
      closeText();
      checkpoint.close();
    }
  }

  /** Behind the caller's back: a large vocabulary takes as long to free as a model's weights. */
  @SuppressWarnings("FutureReturnValueIgnored")
  private void closeText() {
    text.thenAcceptAsync(
        made -> {
          made.close();
          Mlx.trim();
        },
        aside);
  }
}
