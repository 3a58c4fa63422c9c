package dev.semantic.mlx.isolated;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.memory.ByteSize;
import dev.semantic.scripted.PortCall;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** The parent's side of {@link TroubledWorker}. */
record Troubles(Path directory) {
  static final Duration PATIENCE = Duration.ofSeconds(60);

  /** A runtime whose children meet them. */
  IsolatedRuntime.Builder runtime() {
    return IsolatedRuntime.builder()
        .mainClass(TroubledWorker.class)
        .heap(ByteSize.ofMiB(64))
        .javaOption("-XX:TieredStopAtLevel=1") // it is up sooner, and does not live long
        .javaOption("-D" + TroubledWorker.DIRECTORY + "=" + directory)
        .javaOption("-XX:ErrorFile=" + directory.resolve("crash.log"));
  }

  /** It happens at the next such call, once. */
  void at(PortCall call, Trouble trouble) throws IOException {
    Files.writeString(directory.resolve(call + "." + trouble), "");
  }

  boolean happened(PortCall call, Trouble trouble) {
    return !Files.exists(directory.resolve(call + "." + trouble));
  }

  /** The next such call waits. */
  void holdAt(PortCall call) throws IOException {
    Files.writeString(directory.resolve(call + ".wait"), "");
  }

  void awaitHeld(PortCall call) {
    await(() -> Files.exists(directory.resolve(call + ".waits")), call + " was never called");
  }

  void release(PortCall call) throws IOException {
    Files.delete(directory.resolve(call + ".wait"));
    Files.deleteIfExists(directory.resolve(call + ".waits"));
  }

  /** Ends the wait, from where nothing can be thrown. */
  void releaseIfHeld(PortCall call) {
    directory.resolve(call + ".wait").toFile().delete();
  }

  interface Condition {
    boolean holds();
  }

  static void await(Condition condition, String otherwise) {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (!condition.holds()) {
      assertTrue(System.nanoTime() - end < 0, otherwise);
      LockSupport.parkNanos(1_000_000);
    }
  }

  /** Sends a signal as an operator does. */
  static void signal(String name, long pid) throws Exception {
    Process kill = new ProcessBuilder("kill", "-" + name, Long.toString(pid)).start();
    assertTrue(kill.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS), "kill hangs");
  }

  static List<Long> pids(IsolatedRuntime runtime) {
    return runtime.children().stream().map(WorkerProcess::pid).toList();
  }

  static void assertGone(List<Long> pids) {
    assertFalse(pids.isEmpty(), "there never was one");
    for (long pid : pids) {
      assertTrue(
          ProcessHandle.of(pid).filter(ProcessHandle::isAlive).isEmpty(), pid + " still lives");
    }
  }
}
