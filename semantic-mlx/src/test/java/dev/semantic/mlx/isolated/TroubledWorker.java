package dev.semantic.mlx.isolated;

import dev.semantic.scripted.PortCall;
import dev.semantic.scripted.Script;
import dev.semantic.scripted.ScriptedRuntime;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.locks.LockSupport;

/**
 * A child process to which things happen. For each there is a file in a directory, which is taken
 * away when it happens: {@code FORWARD.KILLED}. At {@code FORWARD.wait} the call waits until
 * somebody takes the file away.
 */
final class TroubledWorker {
  static final String DIRECTORY = "semantic.test.troubles";

  private TroubledWorker() {}

  public static void main(String[] args) {
    Path directory = Path.of(System.getProperty(DIRECTORY));
    Script script = new Script();
    script.onVisit(call -> visit(directory, call));
    RuntimeServer.serve(args, () -> new ScriptedRuntime(script));
  }

  private static void visit(Path directory, PortCall call) {
    Path wait = directory.resolve(call + ".wait");
    if (Files.exists(wait)) {
      say(directory.resolve(call + ".waits"));
      while (Files.exists(wait)) {
        if (Thread.currentThread().isInterrupted()) {
          say(directory.resolve(call + ".interrupted"));
          throw new IllegalStateException("interrupted");
        }
        LockSupport.parkNanos(1_000_000);
      }
    }
    for (Trouble trouble : Trouble.values()) {
      if (directory.resolve(call + "." + trouble).toFile().delete()) {
        System.err.println("About to meet " + trouble);
        happen(trouble);
      }
    }
  }

  private static void happen(Trouble trouble) {
    try {
      trouble.happen();
    } catch (Throwable t) {
      throw t instanceof Error error ? error : new AssertionError(t);
    }
  }

  private static void say(Path file) {
    try {
      Files.writeString(file, "");
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
