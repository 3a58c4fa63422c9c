package dev.semantic.registry;

import dev.semantic.log.Log;
import dev.semantic.memory.ByteSize;
import dev.semantic.memory.MemoryAllocation;
import dev.semantic.memory.MemoryProbe;
import dev.semantic.memory.ReclaimReport;
import dev.semantic.model.ModelException;
import dev.semantic.model.ModelSpec;
import dev.semantic.spi.LoadedModel;
import dev.semantic.spi.ModelRuntime;
import dev.semantic.swap.ReclaimPolicy;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Takes a model out of memory, and looks whether it is gone. */
final class Unloading {
  private static final Log LOG = Log.of(Unloading.class);

  private final ModelRuntime runtime;
  private final Planner planner;
  private final ReclaimPolicy policy;

  Unloading(ModelRuntime runtime, Planner planner, ReclaimPolicy policy) {
    this.runtime = runtime;
    this.planner = planner;
    this.policy = policy;
  }

  /**
   * What an unload came to.
   *
   * @param failure why it did not come to its end; null if it did
   */
  record Unloaded(ReclaimReport report, @Nullable Throwable failure) {}

  /**
   * Frees the weights; what came back, and what is still held and by whom, is in the report.
   *
   * @param permit taken when it was asked for
   */
  Unloaded unload(ManagedModel leaving, int permit) {
    ByteSize size = leaving.size();
    AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    MemoryProbe.Change change = change(leaving, () -> free(leaving, permit, failure));
    ReclaimReport report = report(change, size, List.of());
    Throwable thrown = failure.get();
    if (thrown == null && report.within(policy.tolerance())) {
      return new Unloaded(report, null);
    }
    ReclaimReport told = report(change, size, held(leaving.spec(), report, thrown));
    LOG.warn("{} is not gone: {}; left are {}", leaving.spec().id(), told, told.left());
    return new Unloaded(told, thrown);
  }

  /** By the model's own account if it has one: others take and give memory meanwhile. */
  private MemoryProbe.Change change(ManagedModel leaving, Runnable free) {
    Optional<LoadedModel> model = leaving.ifLoaded();
    OptionalLong before = model.isPresent() ? model.get().activeBytes() : OptionalLong.empty();
    if (before.isEmpty()) {
      return runtime.memory().during(free);
    }
    free.run();
    return new MemoryProbe.Change(
        before.getAsLong(), model.orElseThrow().activeBytes().orElse(before.getAsLong()));
  }

  private void free(
      ManagedModel leaving, int permit, AtomicReference<@Nullable Throwable> failure) {
    try {
      leaving.unload(permit);
    } catch (Throwable t) { // memory is looked at all the same
      failure.set(t);
    }
    runtime.memory().releaseCached();
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
  static ReclaimReport nothingFreed(ManagedModel leaving, Throwable why) {
    ByteSize size = leaving.size();
    return new ReclaimReport(size, size, size, List.of(notFreed(leaving.spec(), size, why)));
  }

  private static MemoryAllocation notFreed(ModelSpec model, ByteSize bytes, Throwable why) {
    return new MemoryAllocation(model.id().name(), "not freed", "(" + Log.reason(why) + ")", bytes);
  }

  private List<MemoryAllocation> holdings(ModelSpec model) {
    return runtime.memory().holdings().stream()
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
  ReclaimReport gate(ReclaimReport report, @Nullable ModelSpec next) {
    if (report.within(policy.tolerance()) || next == null) {
      return report;
    }
    String missing =
        "The unload left memory behind: %s; held are %s".formatted(report, report.left());
    return switch (policy.fallback()) {
      case CONTINUE_IF_IT_FITS -> {
        if (!planner.fitsBeside(report.afterUnload().bytes(), next)) {
          throw new ModelException(
              ModelException.Kind.DOES_NOT_FIT,
              missing + "; the next model does not fit beside it");
        }
        yield report;
      }
      case RESTART_RUNTIME -> {
        ReclaimReport after = restarted(report);
        if (!after.within(policy.tolerance())) {
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
    if (!runtime.restart()) {
      return report;
    }
    ByteSize after = counted(runtime.memory().activeBytes());
    return new ReclaimReport(report.before(), after, report.modelBytes(), report.left());
  }
}
