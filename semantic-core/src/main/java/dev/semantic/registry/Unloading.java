package dev.semantic.registry;

import dev.semantic.log.Log;
import dev.semantic.memory.ByteSize;
import dev.semantic.memory.Holding;
import dev.semantic.memory.MemoryProbe;
import dev.semantic.memory.ReclaimReport;
import dev.semantic.model.ModelException;
import dev.semantic.model.ModelSpec;
import dev.semantic.spi.ModelRuntime;
import dev.semantic.swap.ReclaimPolicy;
import java.util.List;
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
   * Frees the weights; what came back is in the report.
   *
   * @param permit taken when it was asked for
   */
  ReclaimReport unload(Resident leaving, int permit) {
    ByteSize size = leaving.size();
    MemoryProbe memory = runtime.memory();
    MemoryProbe.Change change =
        memory.during(
            () -> {
              leaving.unload(permit);
              memory.releaseCached();
            });
    ReclaimReport report = report(change, size, List.of());
    if (report.within(policy.tolerance())) {
      return report;
    }
    ReclaimReport told = report(change, size, holdings(leaving.spec()));
    LOG.warn("{} is not gone: {}; left are {}", leaving.spec().id(), told, told.left());
    return told;
  }

  private static ReclaimReport report(
      MemoryProbe.Change change, ByteSize size, List<Holding> left) {
    return new ReclaimReport(
        new ByteSize(change.before()), new ByteSize(change.after()), size, left);
  }

  private List<Holding> holdings(ModelSpec model) {
    return runtime.memory().holdings().stream()
        .filter(holding -> holding.owner().contains(model.id().name()))
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
    ByteSize after = new ByteSize(runtime.memory().activeBytes());
    return new ReclaimReport(report.before(), after, report.modelBytes(), report.left());
  }
}
