package dev.semantic.mlx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.memory.ByteSize;
import dev.semantic.memory.MemoryBudget;
import dev.semantic.mlx.array.DType;
import dev.semantic.mlx.array.Elementwise;
import dev.semantic.mlx.array.MlxSession;
import dev.semantic.mlx.array.Scope;
import dev.semantic.mlx.testing.RequiresNatives;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

@RequiresNatives
class MlxTest {
  private static final long MIB = 1 << 20;

  @Test
  void itSaysWhatItIs() {
    try (Mlx mlx = Mlx.open()) {
      assertEquals("0.32.2", mlx.version());
      assertEquals(mlx.gpu() ? "gpu" : "cpu", mlx.device());
      assertEquals(mlx.version(), Mlx.open().version());
    }
  }

  @Test
  void aDeviceIsAskedWhatItHas() {
    try (Mlx mlx = Mlx.open()) {
      MlxSession session = mlx.session();
      assertEquals(OptionalLong.empty(), session.deviceNumber("no such thing"));
      assertEquals(OptionalLong.empty(), session.deviceNumber("device_name"), "not a number");
      assertEquals(mlx.gpu(), !mlx.budget().equals(MemoryBudget.ofSystem()));
    }
  }

  @Test
  void theBudgetIsTheDevices() {
    MemoryBudget system = new MemoryBudget(ByteSize.ofGiB(18));
    OptionalLong none = OptionalLong.empty();
    OptionalLong less = OptionalLong.of(ByteSize.ofGiB(16).bytes());
    OptionalLong more = OptionalLong.of(ByteSize.ofGiB(80).bytes());
    assertEquals(system, Mlx.budget(system, none, none));
    assertEquals(ByteSize.ofGiB(16), Mlx.budget(system, less, none).total());
    assertEquals(system, Mlx.budget(system, more, none), "a container's limit holds on Metal, too");
    assertEquals(ByteSize.ofGiB(72), Mlx.budget(system, none, more).total());
  }

  @Test
  void memoryGoesUpAndComesBackToTheByte() {
    try (Mlx mlx = Mlx.open()) {
      Mlx.Memory memory = mlx.memory();
      makeAndFree(mlx.session(), memory); // what MLX makes once, it has made now
      memory.releaseCached();
      long before = memory.activeBytes();
      memory.resetPeak();
      long during = makeAndFree(mlx.session(), memory);
      assertTrue(during >= before + 8 * MIB, during + " during, " + before + " before");
      assertTrue(memory.peakBytes() >= before + 8 * MIB);
      assertEquals(before, memory.activeBytes());
      assertTrue(memory.cachedBytes() > 0, "MLX keeps what was freed");
      memory.releaseCached();
      assertEquals(0, memory.cachedBytes());
      memory.resetPeak();
      assertTrue(memory.peakBytes() < before + 8 * MIB);
    }
  }

  private static long makeAndFree(MlxSession session, Mlx.Memory memory) {
    return session
        .owner()
        .call(
            () -> {
              try (Scope s = session.scope("memory")) {
                s.eval(Elementwise.sigmoid(s, s.zeros(DType.FLOAT32, 1024, 2048)));
                return memory.activeBytes();
              }
            });
  }

  /** Callers never notice that there is one thread. */
  @Test
  void eightThreadsComputeAtOnce() throws Exception {
    MlxSession session = Mlx.open().session();
    Callable<Integer> caller =
        () -> {
          for (int round = 0; round < 200; round++) {
            int number = round;
            int doubled =
                session
                    .owner()
                    .call(
                        () -> {
                          try (Scope s = session.scope("caller")) {
                            return Elementwise.add(s, s.ints(number), s.ints(number)).toInts()[0];
                          }
                        });
            assertEquals(2 * number, doubled);
          }
          return 200;
        };
    try (ExecutorService threads = Executors.newFixedThreadPool(8)) {
      for (var result : threads.invokeAll(IntStream.range(0, 8).mapToObj(i -> caller).toList())) {
        assertEquals(200, result.get());
      }
    }
  }
}
