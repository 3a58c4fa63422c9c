package dev.semantic.mlx;

import dev.semantic.generate.GenerationEvent;
import dev.semantic.generate.GenerationRequest;
import dev.semantic.generate.Prompt;
import dev.semantic.kv.AgentId;
import dev.semantic.model.ModelId;
import dev.semantic.registry.ModelRegistry;
import dev.semantic.store.DiskCacheStore;
import dev.semantic.swap.ModelSwapException;
import dev.semantic.swap.SwapListener;
import dev.semantic.swap.SwapPhase;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * A host that ends in the middle of something. Arguments: what it does, how it ends, how many
 * microseconds after it has begun, and a directory for caches. Says {@code begun}, and {@code here}
 * before it ends.
 */
final class ExitProgram {
  static final ModelId FIRST = new ModelId("smollm2-135m-instruct");
  static final ModelId SECOND = new ModelId("gemma-3-270m");
  static final AgentId AGENT = new AgentId("ada");
  static final int STATUS = 7;

  /** What it is doing. */
  enum Doing {
    LOADING,
    PREFILL,
    DECODE,
    PARKING,
    SWAPPING
  }

  /** How it ends. */
  enum End {
    EXIT(STATUS),
    CLOSE_AND_EXIT(STATUS),
    RETURN(0),
    INT(128 + 2),
    TERM(128 + 15);

    final int status;

    End(int status) {
      this.status = status;
    }
  }

  private final Doing doing;
  private final ModelRegistry registry;
  private final CountDownLatch begun = new CountDownLatch(1);
  private volatile boolean swapping;

  private ExitProgram(Path caches, Doing doing) {
    this.doing = doing;
    registry =
        ModelRegistry.builder(MlxModelRuntime.open())
            .caches(DiskCacheStore.open(caches))
            .listener(
                new SwapListener() {
                  @Override
                  public void phase(SwapPhase phase) {
                    begins(phase);
                  }
                })
            .build();
  }

  private void begins(SwapPhase phase) {
    boolean here =
        switch (doing) {
          case LOADING -> phase == SwapPhase.LOADING;
          case PARKING -> phase == SwapPhase.PARKING && swapping;
          case SWAPPING -> phase == SwapPhase.LOADING && swapping;
          case PREFILL, DECODE -> false;
        };
    if (here) {
      begun.countDown();
    }
  }

  public static void main(String[] args) throws Exception {
    Doing doing = Doing.valueOf(args[0]);
    End end = End.valueOf(args[1]);
    ExitProgram program = new ExitProgram(Path.of(args[3]), doing);
    if (end == End.CLOSE_AND_EXIT) {
      Runtime.getRuntime().addShutdownHook(new Thread(program.registry::close));
    }
    Thread.ofPlatform().daemon().start(program::run);
    if (!program.begun.await(4, TimeUnit.MINUTES)) {
      throw new IllegalStateException(doing + " never began");
    }
    System.out.println("begun");
    TimeUnit.MICROSECONDS.sleep(Long.parseLong(args[2])); // to end at another instant each time
    System.out.println("here");
    switch (end) {
      case EXIT, CLOSE_AND_EXIT -> System.exit(STATUS);
      case RETURN -> {}
      case INT, TERM -> awaitSignal();
    }
  }

  private static void awaitSignal() {
    while (true) {
      LockSupport.park();
    }
  }

  private void run() {
    try {
      registry.load(FIRST);
      generate(20, 1).forEachRemaining(event -> {});
      switch (doing) {
        case LOADING -> {}
        case PREFILL -> {
          begun.countDown();
          generate(1500, 50).forEachRemaining(event -> {});
        }
        case DECODE -> {
          Iterator<GenerationEvent> events = generate(40, 2000);
          events.next();
          begun.countDown();
          events.forEachRemaining(event -> {});
        }
        case PARKING, SWAPPING -> {
          swapping = true;
          registry.swapWithRollback(SECOND);
        }
      }
    } catch (ModelSwapException | RuntimeException e) {
      System.err.println("as it goes when the registry closes: " + e);
    }
  }

  private Iterator<GenerationEvent> generate(int prompt, int answer) {
    int[] tokens = new Random(1).ints(prompt, 100, 40_000).toArray();
    return registry
        .generate(
            GenerationRequest.of(new Prompt.Tokens(tokens))
                .agent(AGENT)
                .maxTokens(answer)
                .ignoreEos(true)
                .build())
        .events();
  }
}
