package dev.semantic.io;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PathLockTest {
  private static final String HERE = "in use by this process, " + ProcessHandle.current().pid();

  @TempDir Path directory;

  private static void take(Path file) throws IOException {
    PathLock.tryAcquire(file).close();
  }

  @Test
  void whoHoldsALockIsNamedToWhoTriesAndIsInTheFile() throws IOException {
    Path file = directory.resolve("lock");
    PathLock held = PathLock.tryAcquire(file);
    assertEquals(HERE, assertThrows(PathLock.HeldException.class, () -> take(file)).getMessage());
    assertEquals(Long.toString(ProcessHandle.current().pid()), Files.readString(file));
    held.close();
    take(file);
  }

  @Test
  void aLockIsOneByWhateverNameItsDirectoryIsReached() throws IOException {
    Path real = Files.createDirectory(directory.resolve("real"));
    Path link = Files.createSymbolicLink(directory.resolve("link"), real);
    try (PathLock _ = PathLock.acquire(real.resolve("lock"))) {
      assertThrows(PathLock.HeldException.class, () -> take(link.resolve("lock")));
    }
    take(link.resolve("lock"));
  }

  @Test
  void aLockThatIsClosedTwiceIsNotTakenFromTheNext() throws IOException {
    Path file = directory.resolve("lock");
    PathLock first = PathLock.acquire(file);
    first.close();
    try (PathLock _ = PathLock.acquire(file)) {
      first.close();
      assertThrows(PathLock.HeldException.class, () -> take(file));
    }
  }

  @Test
  void whoWaitsHasItOnceAnotherThreadHasClosedIt() throws Exception {
    Path file = directory.resolve("lock");
    PathLock held = PathLock.tryAcquire(file);
    AtomicBoolean had = new AtomicBoolean();
    Thread waiting =
        new Thread(
            () -> {
              try (PathLock _ = PathLock.acquire(file)) {
                had.set(true);
              } catch (IOException e) {
                throw new AssertionError(e);
              }
            });
    waiting.start();
    await().until(() -> waiting.getState() == Thread.State.WAITING);
    assertFalse(had.get());
    held.close();
    waiting.join();
    assertTrue(had.get());
  }

  @Test
  void whoIsInterruptedWaitsNoLonger() throws IOException {
    Path file = directory.resolve("lock");
    try (PathLock _ = PathLock.acquire(file)) {
      Thread.currentThread().interrupt();
      assertThrows(IOException.class, () -> PathLock.acquire(file).close());
      assertTrue(Thread.interrupted(), "the interrupt was kept");
    }
    take(file);
  }
}
