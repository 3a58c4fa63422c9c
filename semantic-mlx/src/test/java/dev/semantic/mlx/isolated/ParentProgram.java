package dev.semantic.mlx.isolated;

import dev.semantic.scripted.Geometry;
import dev.semantic.spi.LoadProgress;
import dev.semantic.spi.LoadedModel;
import dev.semantic.spi.LoadedModel.Chunk;
import dev.semantic.spi.PreparedModel;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * A host with one child. Says the child's process id as soon as there is one; when somebody writes
 * a line, it ends in the way that its second argument names, in the middle of all it does.
 */
final class ParentProgram {
  /** What it has its child do. Loads and forwards that are held go on for ever. */
  enum Doing {
    STARTING,
    IDLE,
    LOADING,
    IN_FORWARD
  }

  private ParentProgram() {}

  public static void main(String[] args) {
    Thread.ofPlatform().daemon().start(() -> end(args[1]));
    Thread.ofPlatform().daemon().start(ParentProgram::tellOfTheChild);
    IsolatedRuntime runtime = new Troubles(Path.of(args[0])).runtime().open();
    PreparedModel prepared = runtime.prepare(Geometry.ALPHA.id());
    LoadedModel model = prepared.load(LoadProgress.NONE);
    model.forward(List.of(new Chunk(model.open(), new int[] {20, 21}, true)));
    System.out.println("idle");
    while (true) {
      LockSupport.parkNanos(Duration.ofDays(1).toNanos());
    }
  }

  private static void tellOfTheChild() {
    while (true) {
      var child = ProcessHandle.current().children().findFirst();
      if (child.isPresent()) {
        System.out.println(child.get().pid());
        return;
      }
      LockSupport.parkNanos(1_000_000);
    }
  }

  private static void end(String how) {
    try {
      System.in.read();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    switch (how) {
      case "exit" -> System.exit(0);
      case "halt" -> Runtime.getRuntime().halt(0);
      default -> throw new IllegalArgumentException(how);
    }
  }
}
