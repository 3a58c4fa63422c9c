package dev.semantic.mlx.array;

import static dev.semantic.mlx.testing.Refusal.assertRefused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.mlx.testing.RequiresNatives;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.Pipe;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Arrays that MLX allocates and other threads write. */
@RequiresNatives
class UnfilledTest {
  private final MlxSession session = MlxSession.open();

  @ParameterizedTest
  @EnumSource(DType.class)
  void everyFormatHasItsFormAndItsMemory(DType type) {
    OnMlx.run(
        s -> {
          for (int[] shape : List.of(new int[] {7}, new int[] {3, 5}, new int[] {2, 1, 4, 9})) {
            MlxArray array = s.unfilled(type, shape);
            assertEquals(type, array.dtype());
            assertArrayEquals(shape, array.shape());
            s.eval(array);
            assertEquals(array.bytes(), s.writable(array).byteSize());
          }
        });
  }

  @Test
  void whatAnotherThreadWritesIsInTheArrayAndInViewsThatWereMadeBefore() throws Exception {
    Scope scope = session.owner().call(() -> session.scope("weights"));
    MlxArray[] arrays = new MlxArray[2];
    MemorySegment memory =
        session
            .owner()
            .call(
                () -> {
                  arrays[0] = scope.unfilled(DType.INT32, 2, 3);
                  arrays[1] = Ops.transpose(scope, arrays[0], 1, 0);
                  scope.eval(arrays);
                  return scope.writable(arrays[0]);
                });
    for (int i = 0; i < 6; i++) {
      memory.setAtIndex(ValueLayout.JAVA_INT, i, i * i);
    }
    session
        .owner()
        .run(
            () -> {
              assertArrayEquals(new int[] {0, 1, 4, 9, 16, 25}, arrays[0].toInts());
              assertArrayEquals(new int[] {0, 9, 1, 16, 4, 25}, arrays[1].toInts());
              scope.close();
            });
  }

  @Test
  void writingEndsWhenItIsEndedAndWithTheScope() {
    Scope scope = session.owner().call(() -> session.scope("weights"));
    MemorySegment first = session.owner().call(() -> memory(scope));
    first.set(ValueLayout.JAVA_INT, 0, 1);
    session.owner().run(scope::endWriting);
    assertThrows(IllegalStateException.class, () -> first.set(ValueLayout.JAVA_INT, 0, 2));
    MemorySegment second = session.owner().call(() -> memory(scope));
    second.set(ValueLayout.JAVA_INT, 0, 1);
    session.owner().run(scope::close);
    assertThrows(IllegalStateException.class, () -> second.set(ValueLayout.JAVA_INT, 0, 2));
    assertTrue(scope.isClosed());
  }

  /** In the middle of a copy, too: the memory is somebody else's a moment later. */
  @Test
  void aThreadThatIsWritingIsStoppedBeforeTheMemoryIsFreed() throws Exception {
    Scope scope = session.owner().call(() -> session.scope("weights"));
    MemorySegment memory =
        session
            .owner()
            .call(
                () -> {
                  MlxArray array = scope.unfilled(DType.INT32, 1 << 22);
                  scope.eval(array);
                  return scope.writable(array);
                });
    CountDownLatch writing = new CountDownLatch(1);
    Throwable[] stopped = new Throwable[1];
    Thread writer =
        Thread.ofPlatform()
            .start(
                () -> {
                  int[] numbers = new int[1 << 22];
                  try {
                    while (true) {
                      MemorySegment.copy(
                          numbers, 0, memory, ValueLayout.JAVA_INT, 0, numbers.length);
                      writing.countDown();
                    }
                  } catch (IllegalStateException e) {
                    stopped[0] = e;
                  }
                });
    writing.await();
    session.owner().run(scope::close);
    writer.join();
    assertTrue(stopped[0] instanceof IllegalStateException, () -> "stopped by " + stopped[0]);
  }

  @Test
  void onlyAnArrayOfItsOwnThatLiesInRowsIsGivenOut() {
    OnMlx.run(
        s -> {
          MlxArray matrix = s.unfilled(DType.FLOAT32, 2, 3).named("matrix");
          MlxArray turned = Ops.transpose(s, matrix, 1, 0).named("turned");
          s.eval(matrix, turned);
          assertRefused(IllegalStateException.class, () -> s.writable(turned), "'turned'", "row");
          try (Scope other = s.child("other")) {
            assertRefused(
                IllegalArgumentException.class,
                () -> other.writable(matrix),
                "'matrix'",
                "'test'",
                "'other'");
          }
        });
  }

  private static MemorySegment memory(Scope scope) {
    MlxArray array = scope.unfilled(DType.INT32, 4);
    scope.eval(array);
    return scope.writable(array);
  }

  @Test
  void memoryThatIsBeingReadIntoIsFreedWhenTheReadIsBack() throws Exception {
    Pipe pipe = Pipe.open();
    Scope scope = session.owner().call(() -> session.scope("cache"));
    ByteBuffer memory =
        session
            .owner()
            .call(
                () -> {
                  MlxArray array = scope.unfilled(DType.FLOAT32, 16);
                  scope.eval(array);
                  return scope.writable(array).asByteBuffer();
                });
    CompletableFuture<Integer> reading =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return pipe.source().read(memory);
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            });
    CompletableFuture<Void> closing =
        CompletableFuture.runAsync(() -> session.owner().run(scope::close));
    assertThrows(TimeoutException.class, () -> closing.get(200, TimeUnit.MILLISECONDS));
    assertFalse(reading.isDone());
    pipe.sink().write(ByteBuffer.allocate(8));
    assertEquals(8, reading.get());
    closing.get(20, TimeUnit.SECONDS);
    assertThrows(IllegalStateException.class, () -> memory.put(0, (byte) 1));
    pipe.sink().close();
    pipe.source().close();
  }
}
