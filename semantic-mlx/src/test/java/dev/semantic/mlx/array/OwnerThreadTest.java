package dev.semantic.mlx.array;

import static dev.semantic.mlx.testing.Refusal.assertRefused;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Needs no natives: the thread runs whatever it is given. */
class OwnerThreadTest {
  private final OwnerThread owner = new OwnerThread("owner under test");

  @Test
  void allWorkHappensOnOneDaemonThread() {
    Thread worker = owner.call(Thread::currentThread);
    assertEquals("owner under test", worker.getName());
    assertTrue(worker.isDaemon());
    assertFalse(worker.isVirtual());
    assertSame(worker, owner.call(Thread::currentThread));
  }

  @Test
  void workMayAskForMoreWork() {
    assertEquals(6, owner.call(() -> owner.call(() -> 2) * owner.call(() -> 3)));
  }

  @Test
  void eightCallersGetTheirOwnResultsAndNeverMeet() throws Exception {
    int rounds = 2_000;
    long[] inside = {0}; // not synchronised: only the owner thread touches it
    List<Callable<Long>> callers = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      long mine = i;
      callers.add(
          () -> {
            long sum = 0;
            for (int round = 0; round < rounds; round++) {
              long number = mine * rounds + round;
              sum +=
                  owner.call(
                          () -> {
                            inside[0]++;
                            return number;
                          })
                      - number;
            }
            return sum;
          });
    }
    for (ExecutorService threads :
        List.of(Executors.newFixedThreadPool(8), Executors.newVirtualThreadPerTaskExecutor())) {
      try (threads) {
        for (Future<Long> result : threads.invokeAll(callers)) {
          assertEquals(0, result.get());
        }
      }
    }
    assertEquals(2L * 8 * rounds, owner.call(() -> inside[0]));
  }

  @Test
  void failuresReachTheCallerWithBothStacks() {
    RuntimeException thrown = new IllegalArgumentException("no");
    Throwable caught =
        assertThrows(
            IllegalArgumentException.class,
            () ->
                owner.run(
                    () -> {
                      throw thrown;
                    }));
    assertSame(thrown, caught);
    assertEquals(1, caught.getSuppressed().length);
    Throwable called = caught.getSuppressed()[0];
    assertTrue(called.toString().contains(Thread.currentThread().getName()));
    assertTrue(
        Arrays.stream(called.getStackTrace())
            .anyMatch(f -> f.getClassName().equals(OwnerThreadTest.class.getName())));
  }

  @Test
  void errorsAndCheckedExceptionsToo() {
    assertThrows(
        StackOverflowError.class,
        () ->
            owner.run(
                () -> {
                  throw new StackOverflowError();
                }));
    IllegalStateException wrapped =
        assertThrows(
            IllegalStateException.class,
            () ->
                owner.call(
                    () -> {
                      throw new IOException("disk");
                    }));
    assertEquals("java.io.IOException: disk", String.valueOf(wrapped.getCause()));
    assertEquals(1, owner.call(() -> 1), "the thread goes on");
  }

  @Test
  void anInterruptedCallerWaitsAndStaysInterrupted() throws Exception {
    CountDownLatch started = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    boolean[] seen = new boolean[2];
    Thread caller =
        Thread.ofPlatform()
            .start(
                () -> {
                  seen[0] =
                      owner.call(
                          () -> {
                            started.countDown();
                            goOn.await();
                            return !Thread.currentThread().isInterrupted();
                          });
                  seen[1] = Thread.currentThread().isInterrupted();
                });
    started.await();
    caller.interrupt();
    goOn.countDown();
    caller.join();
    assertTrue(seen[0], "the work was finished, undisturbed");
    assertTrue(seen[1], "the interrupt was kept for the caller");
  }

  /** Interrupted before its turn, behind something that takes long. */
  @Test
  void workThatIsStillQueuedIsNotLostToAnInterrupt() throws Exception {
    CountDownLatch started = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    Thread first =
        Thread.ofPlatform()
            .start(
                () ->
                    owner.call(
                        () -> {
                          started.countDown();
                          return goOn.await(60, TimeUnit.SECONDS);
                        }));
    started.await();
    assertTrue(owner.isBusy());
    int[] runs = new int[1];
    boolean[] seen = new boolean[2];
    Thread second =
        Thread.ofPlatform()
            .start(
                () -> {
                  Thread.currentThread().interrupt();
                  seen[0] = owner.call(() -> ++runs[0] == 1);
                  seen[1] = Thread.currentThread().isInterrupted();
                });
    await().until(() -> second.getState() == Thread.State.WAITING); // queued
    second.interrupt();
    goOn.countDown();
    first.join();
    second.join();
    assertTrue(seen[0], "it ran, and its result came back");
    assertTrue(seen[1], "the interrupt was kept for the caller");
    assertEquals(1, owner.call(() -> runs[0]));
  }

  @Test
  void interruptingTheOwnerItselfDoesNotEndIt() {
    owner.run(() -> Thread.currentThread().interrupt());
    assertEquals(1, owner.call(() -> 1));
    assertFalse(owner.call(() -> Thread.currentThread().isInterrupted()));
  }

  @Test
  void anotherThreadIsToldWhoseThingItIs() {
    owner.run(() -> owner.require("Scope 'weights'"));
    assertRefused(
        IllegalStateException.class,
        () -> owner.require("Scope 'weights'"),
        "Scope 'weights'",
        "'" + Thread.currentThread().getName() + "'",
        "'owner under test'");
  }
}
