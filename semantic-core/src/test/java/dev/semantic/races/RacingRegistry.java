package dev.semantic.races;

import static dev.semantic.scripted.ScriptedHost.tokens;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.semantic.generate.GenerationRequest;
import dev.semantic.generate.Prompt;
import dev.semantic.generate.RequestException;
import dev.semantic.memory.ByteSize;
import dev.semantic.model.ModelId;
import dev.semantic.model.ModelSpec;
import dev.semantic.registry.RegistryStatus;
import dev.semantic.registry.RegistryStatus.Activity;
import dev.semantic.registry.SwapOptions;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.ScriptedHost;
import dev.semantic.swap.ModelSwapException;
import dev.semantic.swap.SwapConflict;
import dev.semantic.swap.SwapOutcome;
import dev.semantic.swap.SwapReport;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.LockSupport;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Validate;
import org.jspecify.annotations.Nullable;

/** The calls that race, on a registry in which {@code ALPHA} serves. */
public abstract class RacingRegistry {
  private static final int LONGEST_CALL_NANOS = 200_000;

  private final ScriptedHost host;

  /** Both models fit: the new one serves before the old one goes. */
  public static final class Roomy extends RacingRegistry {
    public Roomy() {
      super(ScriptedHost.ROOMY);
    }
  }

  /** Only one fits: for a while none serves. */
  public static final class Tight extends RacingRegistry {
    public Tight() {
      super(ScriptedHost.TIGHT);
    }
  }

  /** Whom a request is meant for. */
  public enum Whom {
    ANYBODY,
    ALPHA,
    BETA;

    @Nullable Geometry model() {
      return this == ANYBODY ? null : Geometry.valueOf(name());
    }
  }

  /** What there is to swap to. */
  public enum Target {
    ALPHA,
    BETA;

    Geometry model() {
      return Geometry.valueOf(name());
    }
  }

  RacingRegistry(ByteSize budget) {
    host = ScriptedHost.serving(Geometry.ALPHA, budget);
    host.script.onVisit(call -> LockSupport.parkNanos(jitter()));
  }

  /** A backend takes its time, and others come in between. */
  private static long jitter() {
    return ThreadLocalRandom.current().nextInt(3) == 0 ? LONGEST_CALL_NANOS : 0;
  }

  @Operation
  public Object ask(Whom whom) {
    GenerationRequest.Builder request =
        GenerationRequest.of(new Prompt.Tokens(tokens(5, 1))).maxTokens(2);
    Geometry meantFor = whom.model();
    if (meantFor != null) {
      request.model(meantFor.id());
    }
    try {
      return new Seen.Answered(Geometry.of(host.ask(request.build()).await().model()));
    } catch (RequestException refused) {
      return new Seen.Unanswered(meantFor);
    }
  }

  @Operation
  public Object swap(Target target, SwapConflict ifBusy) throws ModelSwapException {
    SwapOptions options = SwapOptions.builder().ifBusy(ifBusy).build();
    try {
      SwapReport report = host.registry.swapWithRollback(target.model().id(), options);
      assertEquals(Optional.of(target.model().id()), report.serving());
      return new Seen.Swapped(target.model(), ifBusy);
    } catch (IllegalStateException refused) {
      return new Seen.Refused(ifBusy);
    } catch (ModelSwapException failed) {
      return failed.report().outcome() == SwapOutcome.CANCELLED
          ? new Seen.CalledOff(target.model(), ifBusy)
          : brokenOff(failed, target, ifBusy);
    }
  }

  private static Seen brokenOff(ModelSwapException failed, Target target, SwapConflict ifBusy)
      throws ModelSwapException {
    Optional<ModelId> serving = failed.report().serving();
    if (serving.isEmpty()) {
      return new Seen.BrokenOff(target.model(), ifBusy);
    }
    if (failed.report().outcome() == SwapOutcome.SWAPPED
        && serving.equals(Optional.of(target.model().id()))) {
      return new Seen.Stayed(target.model(), ifBusy);
    }
    throw failed;
  }

  @Operation
  public Object cancelSwap() {
    return new Seen.Cancel(host.registry.cancelSwap());
  }

  @Operation
  public Object status() {
    RegistryStatus status = host.registry.status();
    boolean changing = status.activity() == Activity.IN_PROGRESS;
    assertEquals(changing, status.swap().isPresent(), status::toString);
    if (!changing) {
      SwapReport last = status.lastReport().orElseThrow();
      Activity ended =
          switch (last.outcome()) {
            case SWAPPED, UNCHANGED -> Activity.SUCCESS;
            case REFUSED, ROLLED_BACK, CANCELLED, FAILED -> Activity.FAILED;
          };
      assertEquals(ended, status.activity(), status::toString);
    }
    return new Seen.Stood(
        status.serving().map(ModelSpec::tag).map(Geometry::of), status.activity());
  }

  @Operation
  public Object close() {
    host.registry.close();
    return new Seen.Closed();
  }

  /** Nothing is left, and every answer is what its model would say. */
  @Validate
  public void nothingIsLeft() {
    host.close();
  }
}
