package dev.semantic.registry;

import dev.semantic.engine.DrainOrder;
import dev.semantic.generate.DrainPolicy;
import dev.semantic.generate.EngineMode;
import dev.semantic.log.Log;
import dev.semantic.memory.ByteSize;
import dev.semantic.memory.MemoryAllocation;
import dev.semantic.memory.MemoryProbe;
import dev.semantic.memory.ReclaimReport;
import dev.semantic.model.ModelException;
import dev.semantic.model.ModelId;
import dev.semantic.model.ModelSpec;
import dev.semantic.registry.SwapExecutor.Tools;
import dev.semantic.spi.LoadPriority;
import dev.semantic.spi.LoadProgress;
import dev.semantic.spi.LoadedModel;
import dev.semantic.spi.PreparedModel;
import dev.semantic.spi.Tokenizer;
import dev.semantic.swap.DrainTimeoutException;
import dev.semantic.swap.PhaseTimeoutException;
import dev.semantic.swap.SwapPhase;
import dev.semantic.timeline.MemoryRetry;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The single steps of a swap, each done whole or not at all as far as its port lets it. What an
 * unload gives back is measured, and decides whether the next model may come.
 */
final class SwapActions {
  private static final Log LOG = Log.of(SwapActions.class);

  /** How long those may take to be parked whom a model has answered that has to go again. */
  private static final Duration LAST_PARKING = Duration.ofSeconds(10);

  /** How long a store may take once nobody wants its agents parked any more. */
  private static final Duration CALLED_OFF_GRACE = Duration.ofSeconds(5);

  private final Tools tools;
  private final SwapOptions options;
  private final SwapRecorder recorder;
  private final Permit permit;
  private final StepRunner stepRunner;
  private final MemoryRetry retry;
  private final Runnable resuming; // made betimes
  private boolean served; // a model began to

  SwapActions(
      Tools tools,
      SwapOptions options,
      SwapRecorder recorder,
      Permit permit,
      StepRunner stepRunner,
      MemoryRetry retry) {
    this.tools = tools;
    this.options = options;
    this.recorder = recorder;
    this.permit = permit;
    this.stepRunner = stepRunner;
    this.retry = retry;
    this.resuming = tools.engine()::resume;
  }

  /** Zero if the runtime cannot tell: a figure in a report is not worth a swap. */
  ByteSize activeBytes() {
    try {
      return new ByteSize(
          stepRunner.call(
              "looking at memory", () -> tools.runtime().memory().activeBytes(), late -> {}));
    } catch (Throwable t) {
      LOG.warn("The runtime cannot tell how much memory is active", t);
      return ByteSize.ZERO;
    }
  }

  /** The host's own conditions; a guard that does not come back costs the swap, no more. */
  void askGuard(SwapPhase phase) {
    Consumer<SwapPhase> guard = options.guard();
    if (!guard.equals(SwapOptions.NO_GUARD)) {
      stepRunner.runWhileWanted("asking the guard before " + phase, () -> guard.accept(phase));
    }
  }

  ManagedModel prepare(ModelId wanted) {
    return stepRunner.callInterruptibly(
        "preparing " + wanted,
        () -> new ManagedModel(tools.runtime().prepare(wanted)),
        late -> late.prepared().close());
  }

  /**
   * Refuses a model that renders no conversations, where one is required that does.
   *
   * @throws ModelException if it has no chat template
   */
  void requireChatTemplate(ManagedModel next) {
    if (options.requiresChatTemplate() && !next.spec().chatTemplate()) {
      awaitText(next); // which knows it for sure
      requireChatTemplate(next.prepared());
    }
  }

  static void requireChatTemplate(PreparedModel prepared) {
    if (!prepared.spec().chatTemplate() && !prepared.text().hasChatTemplate()) {
      throw new ModelException(
          ModelException.Kind.NO_CHAT_TEMPLATE,
          "%s has no chat template, and one is required; choose a model that was made for chat, or do without requireChatTemplate"
              .formatted(prepared.spec().id()));
    }
  }

  /** The disk is read while the old model serves, not in the blackout; a hint, no more. */
  void readAhead(ManagedModel next) {
    try {
      stepRunner.callInterruptibly(
          "reading ahead",
          () -> {
            next.prepared().readAhead(progress(true, true));
            return true;
          },
          done -> {});
    } catch (Throwable t) {
      permit.check();
      LOG.warn("Could not read ahead; loading will take longer", t);
    }
  }

  /** A tokenizer may still be in the making, beside all else; nobody is drained for a bad one. */
  void awaitText(ManagedModel next) {
    stepRunner.callInterruptibly(
        "preparing the tokenizer of " + next.spec().id(), () -> next.prepared().text(), late -> {});
  }

  /** Brings requests under way to their end, or to a halt. */
  void drain() throws InterruptedException {
    permit.nudgeWith(tools.engine()::wake);
    int left;
    try {
      left =
          tools
              .engine()
              .drain(
                  new DrainOrder(
                      options.drainPolicy(),
                      options.drainTimeout(),
                      options.returnWithin(),
                      permit::isRequested));
    } finally {
      permit.nudgeWith(() -> {});
    }
    if (left == 0) {
      recorder.blackoutBegins();
    }
    permit.check();
    if (left > 0) {
      throw new DrainTimeoutException(
          "%d requests were still running after %s; they go on with the old model"
              .formatted(left, options.drainTimeout()));
    }
  }

  /** Every idle agent's cache; returns how many. */
  int park() {
    long change = tools.engine().permit();
    return stepRunner.call(
        "parking",
        CALLED_OFF_GRACE,
        () -> tools.engine().parkAgents(change, permit::isRequested),
        late -> {});
  }

  /** The weights; {@code beside} a model that serves, and only as long as the swap is wanted. */
  void load(ManagedModel managed, boolean beside) {
    load(managed, progress(beside, true));
  }

  /** The old model's weights, whatever anybody wants. */
  void loadAgain(ManagedModel managed) {
    load(managed, progress(false, false));
  }

  private void load(ManagedModel managed, LoadProgress progress) {
    LoadedModel loaded =
        stepRunner.call(
            "loading " + managed.spec().id(),
            () -> managed.prepared().load(progress),
            LoadedModel::close);
    managed.setLoaded(loaded);
  }

  private LoadProgress progress(boolean beside, boolean cancellable) {
    return new LoadProgress() {
      @Override
      public void update(long doneBytes, long totalBytes) {
        recorder.progress(doneBytes, totalBytes);
      }

      @Override
      public boolean isCancelled() {
        return cancellable && permit.isRequested();
      }

      @Override
      public LoadPriority priority() {
        return beside ? options.loadPriority() : LoadPriority.AT_ONCE;
      }
    };
  }

  /** Takes sequences and model away from the engine. */
  void shutdown() {
    long change = tools.engine().permit();
    stepRunner.run("letting go of the model", () -> tools.engine().shutdown(change));
  }

  void serveWith(ManagedModel managed) {
    LoadedModel model = managed.loaded();
    long change = tools.engine().permit();
    try {
      stepRunner.run(
          "activating " + managed.spec().id(),
          () -> {
            Tokenizer text = managed.prepared().text();
            expectCaches(managed.spec());
            tools.engine().reinitialize(change, model, text);
          });
    } catch (PhaseTimeoutException e) {
      tools.engine().giveUp();
      if (!tools.engine().hasModel(model)) {
        throw e; // else it came to its end at the last moment
      }
    }
    recorder.blackoutEnds();
    served = true;
  }

  /** The model serves; its agents come back behind it, and the report tells how many. */
  void awaitAgents() {
    if (served) {
      permit.nudgeWith(tools.engine()::wake);
      try {
        recorder.restored(tools.engine().awaitAgents(options.phaseTimeout(), permit::isHurried));
      } catch (InterruptedException e) {
        stepRunner.noteInterrupt();
      } finally {
        permit.nudgeWith(() -> {});
      }
    }
  }

  /** A model serves without its agents' caches rather than not at all. */
  private void expectCaches(ModelSpec spec) {
    try {
      tools.caches().updateModelTag(spec.tag());
    } catch (Throwable t) {
      LOG.warn("Caches of {} that wait elsewhere do not come back now", spec.id(), t);
    }
  }

  /** The new model serves for good: what is parked of others may go where it is to. */
  void letOthersGo() {
    try {
      stepRunner.run("letting go of other models' caches", () -> tools.caches().filterCompatible());
    } catch (Throwable t) {
      LOG.warn("Other models' caches stay where they are", t);
    }
  }

  /** After a make-before-break the new model serves already, and goes on whatever happens here. */
  void unloadOld(ManagedModel leaving, @Nullable ModelSpec next) {
    if (tools.engine().mode() == EngineMode.SERVING) {
      try {
        unload(leaving, null, false);
      } catch (Throwable t) {
        LOG.error(
            "{} could not be unloaded whole; its memory may not be free", leaving.spec().id(), t);
        if (recorder.reclaim().isEmpty()) {
          recorder.reclaimed(nothingFreed(leaving, t));
        }
        recorder.notFreed(leaving.spec().id(), t);
      }
      return;
    }
    shutdown();
    unload(leaving, next, true);
  }

  /**
   * Takes a model out of memory.
   *
   * @param returns whether it is to serve again if this fails
   */
  private void unload(ManagedModel leaving, @Nullable ModelSpec next, boolean returns) {
    int kept = leaving.kept();
    Unloaded unloaded;
    try {
      unloaded =
          stepRunner.call(
              "unloading " + leaving.spec().id(), () -> freed(leaving, kept), late -> {});
    } catch (PhaseTimeoutException e) {
      if (returns) {
        leaving.keep();
      }
      throw e;
    }
    ReclaimReport report = unloaded.report();
    recorder.reclaimed(report);
    StepRunner.rethrow(unloaded.failure());
    recorder.reclaimed(stepRunner.call("reclaiming", () -> gate(report, next), late -> {}));
  }

  /**
   * What an unload came to.
   *
   * @param failure why it did not come to its end; null if it did
   */
  private record Unloaded(ReclaimReport report, @Nullable Throwable failure) {}

  /** Frees the weights; what came back, and what is still held and by whom, is in the report. */
  private Unloaded freed(ManagedModel leaving, int kept) {
    ByteSize size = leaving.size();
    AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    MemoryProbe.Change change = measured(leaving.loaded(), () -> free(leaving, kept, failure));
    ReclaimReport report = report(change, size, List.of());
    Throwable thrown = failure.get();
    if (thrown == null && report.within(options.reclaim().tolerance())) {
      return new Unloaded(report, null);
    }
    ReclaimReport told = report(change, size, held(leaving.spec(), report, thrown));
    LOG.warn("{} is not gone: {}; left are {}", leaving.spec().id(), told, told.left());
    return new Unloaded(told, thrown);
  }

  /** By the model's own account if it has one: others take and give memory meanwhile. */
  private MemoryProbe.Change measured(LoadedModel model, Runnable free) {
    OptionalLong before = model.activeBytes();
    if (before.isEmpty()) {
      return tools.runtime().memory().during(free);
    }
    free.run();
    return new MemoryProbe.Change(
        before.getAsLong(), model.activeBytes().orElse(before.getAsLong()));
  }

  private void free(ManagedModel leaving, int kept, AtomicReference<@Nullable Throwable> failure) {
    try {
      leaving.unload(kept);
    } catch (Throwable t) { // memory is looked at all the same
      failure.set(t);
    }
    tools.runtime().memory().releaseCached();
  }

  private static ReclaimReport report(
      MemoryProbe.Change change, ByteSize size, List<MemoryAllocation> left) {
    return new ReclaimReport(counted(change.before()), counted(change.after()), size, left);
  }

  /** A runtime that has miscounted may say less than nothing, which is no reason to stay. */
  private static ByteSize counted(long bytes) {
    return new ByteSize(Math.max(0, bytes));
  }

  /** By the runtime's list, or, where it has none, by what its model threw. */
  private List<MemoryAllocation> held(
      ModelSpec model, ReclaimReport report, @Nullable Throwable thrown) {
    List<MemoryAllocation> listed = holdings(model);
    return listed.isEmpty() && thrown != null && report.missing().bytes() > 0
        ? List.of(notFreed(model, report.missing(), thrown))
        : listed;
  }

  /** The report of an unload that did not come back: nothing of the model counts as free. */
  private static ReclaimReport nothingFreed(ManagedModel leaving, Throwable why) {
    ByteSize size = leaving.size();
    return new ReclaimReport(size, size, size, List.of(notFreed(leaving.spec(), size, why)));
  }

  private static MemoryAllocation notFreed(ModelSpec model, ByteSize bytes, Throwable why) {
    return new MemoryAllocation(model.id().name(), "not freed", "(" + Log.reason(why) + ")", bytes);
  }

  private List<MemoryAllocation> holdings(ModelSpec model) {
    return tools.runtime().memory().holdings().stream()
        .filter(allocation -> allocation.owner().contains(model.id().name()))
        .toList();
  }

  /**
   * Lets the next model pass, or not.
   *
   * @param next what is to be loaded; null if nothing is
   * @return the report as it stands after whatever was done about it
   * @throws ModelException if it must not be loaded
   */
  private ReclaimReport gate(ReclaimReport report, @Nullable ModelSpec next) {
    if (report.within(options.reclaim().tolerance()) || next == null) {
      return report;
    }
    String missing =
        "The unload left memory behind: %s; held are %s".formatted(report, report.left());
    return switch (options.reclaim().fallback()) {
      case CONTINUE_IF_IT_FITS -> {
        if (!tools.planner().fitsBeside(report.afterUnload().bytes(), next)) {
          throw new ModelException(
              ModelException.Kind.DOES_NOT_FIT,
              missing + "; the next model does not fit beside it");
        }
        yield report;
      }
      case RESTART_RUNTIME -> {
        ReclaimReport after = restarted(report);
        if (!after.within(options.reclaim().tolerance())) {
          throw new ModelException(
              ModelException.Kind.DOES_NOT_FIT,
              missing + "; starting the runtime over did not help");
        }
        yield after;
      }
      case STOP -> throw new ModelException(ModelException.Kind.FAILED, missing);
    };
  }

  private ReclaimReport restarted(ReclaimReport report) {
    LOG.warn("Starting the runtime over, because an unload left memory behind");
    if (!tools.runtime().restart()) {
      return report;
    }
    ByteSize after = counted(tools.runtime().memory().activeBytes());
    return new ReclaimReport(report.before(), after, report.modelBytes(), report.left());
  }

  /** The new model serves already, and has to stop; false if it does not, and therefore stays. */
  boolean retreat() {
    try {
      DrainOrder order =
          new DrainOrder(
              DrainPolicy.PREEMPT,
              options.drainTimeout(),
              options.returnWithin(),
              permit::isHurried);
      if (drainInAnyCase(order) > 0) {
        LOG.error("The new model cannot be drained, and goes on serving");
        return false;
      }
      recorder.blackoutBegins();
      parkIfItIsQuick();
      shutdown();
      return true;
    } catch (Throwable t) {
      LOG.error("The new model cannot be stopped, and goes on serving", t);
      if (tools.engine().mode() == EngineMode.DRAINED) {
        tools.engine().giveUp();
        retry.run(resuming);
      }
      return tools.engine().mode() == EngineMode.EMPTY;
    }
  }

  /** What the new model has answered meanwhile; nothing keeps it from leaving. */
  private void parkIfItIsQuick() {
    StepRunner quick = new StepRunner(tools.timeline(), LAST_PARKING, permit);
    long change = tools.engine().permit();
    try {
      quick.call("parking", () -> tools.engine().parkAgents(change, () -> false), late -> {});
    } catch (Throwable t) {
      if (StepRunner.mayGoOn(t)) {
        tools.engine().giveUp();
      }
      LOG.warn("Agents who spoke with the new model are not parked, and begin anew with it", t);
    }
    if (quick.wasInterrupted()) {
      stepRunner.noteInterrupt();
    }
  }

  private int drainInAnyCase(DrainOrder order) {
    permit.nudgeWith(tools.engine()::wake);
    try {
      while (true) {
        try {
          return tools.engine().drain(order);
        } catch (InterruptedException e) {
          stepRunner.noteInterrupt();
        }
      }
    } finally {
      permit.nudgeWith(() -> {});
    }
  }

  /** Takes a model that was not wanted in the end out of memory, as well as it can. */
  void drop(@Nullable ManagedModel dropped) {
    try {
      if (dropped != null) {
        stepRunner.run("unloading " + dropped.spec().id(), dropped::unload);
      }
      stepRunner.run("giving memory back", () -> tools.runtime().memory().releaseCached());
    } catch (Throwable t) {
      LOG.error("The new model could not be unloaded whole; its memory may not be free", t);
      if (dropped != null) {
        recorder.notFreed(dropped.spec().id(), t);
      }
    }
  }
}
