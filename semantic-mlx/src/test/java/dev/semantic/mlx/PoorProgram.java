package dev.semantic.mlx;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.semantic.generate.GenerationRequest;
import dev.semantic.generate.Prompt;
import dev.semantic.kv.AgentId;
import dev.semantic.memory.ByteSize;
import dev.semantic.memory.MemoryBudget;
import dev.semantic.model.ModelId;
import dev.semantic.model.ModelSpec;
import dev.semantic.registry.ModelRegistry;
import dev.semantic.swap.ModelSwapException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** A process that is to swap to a model for which its memory does not suffice. */
final class PoorProgram {
  private static final ModelId SMOL = new ModelId("smollm2-135m-instruct");
  private static final ModelId GEMMA = new ModelId("gemma-3-270m");

  private static final int RLIMIT_AS = 9; // of Linux

  private PoorProgram() {}

  /**
   * Prints what serves after the swap, what the swap said, and what is answered before and after.
   */
  public static void main(String[] args) throws Throwable {
    try (MlxModelRuntime runtime = MlxModelRuntime.open();
        ModelRegistry registry =
            ModelRegistry.builder(runtime)
                .budget(new MemoryBudget(ByteSize.ofGiB(8)))
                .cacheBytes(ByteSize.ofMiB(128))
                .build()) {
      registry.load(SMOL);
      List<Integer> before = ask(registry);
      limitAddressSpace(addressSpace() + ByteSize.parse(args[0]).bytes());
      try {
        System.out.println(registry.swapWithRollback(GEMMA).outcome());
      } catch (ModelSwapException e) {
        System.out.println(e.report().outcome() + ": " + e.getMessage());
      }
      System.out.println("serving " + registry.current().map(ModelSpec::id));
      System.out.println("same answer " + before.equals(ask(registry)));
    }
  }

  private static long addressSpace() throws IOException {
    return Files.readAllLines(Path.of("/proc/self/status")).stream()
        .filter(line -> line.startsWith("VmSize:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) << 10)
        .findFirst()
        .orElseThrow();
  }

  /** From here on, {@code malloc} and {@code mmap} fail beyond it. */
  @SuppressWarnings("restricted")
  private static void limitAddressSpace(long bytes) throws Throwable {
    Linker linker = Linker.nativeLinker();
    MethodHandle setrlimit =
        linker.downcallHandle(
            linker.defaultLookup().find("setrlimit").orElseThrow(),
            FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS));
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment limits = arena.allocateFrom(JAVA_LONG, bytes, bytes);
      int status = (int) setrlimit.invokeExact(RLIMIT_AS, limits);
      if (status != 0) {
        throw new AssertionError("setrlimit failed");
      }
    }
  }

  private static List<Integer> ask(ModelRegistry registry) {
    GenerationRequest request =
        GenerationRequest.of(new Prompt.Tokens(new int[] {100, 200, 300, 400}))
            .agent(new AgentId("ada"))
            .maxTokens(6)
            .ignoreEos(true)
            .build();
    return registry.generate(request).await(Duration.ofMinutes(1)).tokens();
  }
}
