package dev.semantic.registry;

import dev.semantic.generate.GenerationResult;
import dev.semantic.generate.RequestException;
import dev.semantic.journal.FileSwapJournal;
import dev.semantic.kv.AgentId;
import dev.semantic.memory.ByteSize;
import dev.semantic.memory.MemoryBudget;
import dev.semantic.model.ModelTag;
import dev.semantic.registry.SwappingProgram.Step.Kind;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.ScriptedHost;
import dev.semantic.scripted.ScriptedRuntime;
import dev.semantic.store.DiskCacheStore;
import dev.semantic.swap.ModelSwapException;
import dev.semantic.swap.SwapListener;
import dev.semantic.swap.SwapPhase;
import dev.semantic.swap.SwapStrategy;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Changes its model without end while agents ask, says on standard output what it does, and stops
 * at the place that it is given, to be killed there.
 *
 * <p>Arguments: a directory, the budget in bytes, and the place, {@code <step>:<phase>}; {@code
 * <step>:END} is after the step.
 */
final class SwappingProgram {
  static final List<String> AGENTS = List.of("ada", "bob", "eve", "zoe");
  private static final int LONGEST_CONVERSATION = 220; // one block of the pool
  private static final int ANSWERS_BETWEEN_STEPS = 8;

  /** What is done, over and over. */
  enum Step {
    LOAD_ALPHA(Kind.LOAD, null, Geometry.ALPHA),
    SWAP_TO_BETA(Kind.SWAP, Geometry.ALPHA, Geometry.BETA),
    FAIL_TO_SWAP(Kind.FAILING, Geometry.BETA, Geometry.GAMMA),
    SWAP_TO_GAMMA(Kind.SWAP, Geometry.BETA, Geometry.GAMMA),
    UNLOAD(Kind.UNLOAD, Geometry.GAMMA, null);

    enum Kind {
      LOAD,
      SWAP,
      FAILING,
      UNLOAD
    }

    final Kind kind;
    final @Nullable Geometry from;
    final @Nullable Geometry to;

    Step(Kind kind, @Nullable Geometry from, @Nullable Geometry to) {
      this.kind = kind;
      this.from = from;
      this.to = to;
    }

    /** All phases, in order, of this step with such a budget. */
    List<SwapPhase> phases(ByteSize budget) {
      SwapStrategy change =
          budget.equals(ScriptedHost.ROOMY)
              ? SwapStrategy.MAKE_BEFORE_BREAK
              : SwapStrategy.BREAK_BEFORE_MAKE;
      return switch (kind) {
        case LOAD -> SwapStrategy.LOAD.phases();
        case SWAP -> change.phases();
        case UNLOAD -> SwapStrategy.UNLOAD.phases();
        case FAILING -> {
          int last = change.phases().indexOf(SwapPhase.ACTIVATING) + 1;
          List<SwapPhase> phases = new ArrayList<>(change.phases().subList(0, last));
          phases.add(SwapPhase.ROLLING_BACK);
          yield phases;
        }
      };
    }
  }

  private final ModelRegistry registry;
  private final String stop;
  private final Semaphore answers = new Semaphore(0);
  private volatile Step step = Step.LOAD_ALPHA;

  private SwappingProgram(Path directory, ByteSize budget, String stop) {
    this.stop = stop;
    this.registry =
        ModelRegistry.builder(new ScriptedRuntime())
            .budget(new MemoryBudget(budget))
            .cacheBytes(ByteSize.parse("128KiB"))
            .caches(new Announcement().over(DiskCacheStore.open(directory)))
            .journal(FileSwapJournal.open(directory.resolve("swap.journal")))
            .listener(
                new SwapListener() {
                  @Override
                  public void phase(SwapPhase phase) {
                    reach("phase", phase.name());
                  }
                })
            .build();
  }

  public static void main(String[] arguments) throws Exception {
    Thread.ofPlatform().daemon().start(SwappingProgram::endWithParent);
    SwappingProgram program =
        new SwappingProgram(
            Path.of(arguments[0]), new ByteSize(Long.parseLong(arguments[1])), arguments[2]);
    for (String agent : AGENTS) {
      Thread.ofPlatform().daemon().start(() -> program.converse(agent));
    }
    program.change();
  }

  private static void endWithParent() {
    try {
      while (System.in.read() >= 0) {}
    } catch (IOException e) {
      say("wrong " + e);
    }
    Runtime.getRuntime().halt(1);
  }

  /** A line is whole or not there: what is printed is never more than what has happened. */
  private static void say(String line) {
    synchronized (System.out) {
      System.out.println(line);
    }
  }

  private void reach(String what, String place) {
    say("%s %s %s".formatted(what, step, place));
    while (stop.equals(step + ":" + place)) {
      LockSupport.park();
    }
  }

  private void change() throws InterruptedException {
    while (true) {
      for (Step next : Step.values()) {
        step = next;
        say("step " + next);
        carryOut(next);
        reach("ended", "END");
        if (next != Step.UNLOAD) {
          answers.drainPermits();
          answers.acquire(ANSWERS_BETWEEN_STEPS);
        }
      }
    }
  }

  private void carryOut(Step next) {
    try {
      switch (next.kind) {
        case LOAD -> registry.load(target(next).id());
        case SWAP -> registry.swapWithRollback(target(next).id());
        case UNLOAD -> registry.unload();
        case FAILING -> {
          var options = SwapOptions.builder().guard(SwappingProgram::refuseToActivate).build();
          registry.swapWithRollback(target(next).id(), options);
          say("wrong: a swap that had to fail did not");
        }
      }
    } catch (ModelSwapException e) {
      if (next.kind != Kind.FAILING || e.serving().isEmpty()) {
        say("wrong " + e);
      }
    }
  }

  private static Geometry target(Step step) {
    if (step.to == null) {
      throw new AssertionError(step);
    }
    return step.to;
  }

  private static void refuseToActivate(SwapPhase phase) {
    if (phase == SwapPhase.ACTIVATING) {
      throw new IllegalStateException("as it should");
    }
  }

  private void converse(String agent) {
    int[] conversation = ScriptedHost.tokens(10, agent.length());
    for (int seed = agent.charAt(0); ; seed++) {
      try {
        GenerationResult answer =
            registry.generate(ScriptedHost.request(agent, 5, conversation)).await();
        check(conversation, answer);
        conversation = ScriptedHost.said(conversation, answer);
        say("answered %s %s".formatted(agent, csv(conversation)));
        answers.release();
      } catch (RequestException nothingServes) {
        LockSupport.parkNanos(100_000);
      } catch (Throwable t) {
        say("wrong " + t);
      }
      if (conversation.length > LONGEST_CONVERSATION) {
        conversation = ScriptedHost.tokens(10, seed);
      }
    }
  }

  private static void check(int[] prompt, GenerationResult answer) {
    if (!geometry(answer.model().model()).answer(prompt, 5).equals(answer.tokens())) {
      say("wrong answer %s to %s".formatted(answer, csv(prompt)));
    }
  }

  static Geometry geometry(String model) {
    return Geometry.valueOf(model.toUpperCase(Locale.ROOT));
  }

  static String csv(int[] tokens) {
    return Arrays.stream(tokens).mapToObj(Integer::toString).collect(Collectors.joining(","));
  }

  /** Tells whoever reads what must be in the store, should this process end now. */
  private static final class Announcement implements ParkingLedger {
    @Override
    public void parking(AgentId agent, ModelTag tag, int[] tokens) {
      say("parking %s %s %s".formatted(agent, tag.model(), csv(tokens)));
    }

    @Override
    public void parked(AgentId agent, ModelTag tag) {
      say("parked %s %s".formatted(agent, tag.model()));
    }
  }
}
