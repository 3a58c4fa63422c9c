package dev.semantic.mlx.isolated;

/** How a process ended, in words. */
final class ExitStatus {
  private static final int SIGNALLED = 128;

  /** What {@code -XX:+ExitOnOutOfMemoryError} ends with. */
  private static final int OUT_OF_HEAP = 3;

  private ExitStatus() {}

  /**
   * In words.
   *
   * @param printed the process, which tells of a crash that its exit code hides
   */
  static String of(int exit, StderrTail printed) {
    return printed.crash().map(crash -> "its JVM crashed, " + crash).orElseGet(() -> of(exit));
  }

  private static String of(int exit) {
    return switch (exit - SIGNALLED) {
      case OUT_OF_HEAP - SIGNALLED ->
          "exit code 3, as when its Java heap is too small: see IsolatedRuntime.Builder.heap";
      case 1 -> "SIGHUP";
      case 2 -> "SIGINT";
      case 4 -> "SIGILL, an instruction that this machine does not have";
      case 6 -> "SIGABRT, native code gave up or crashed";
      case 7 -> "SIGBUS, a file that it had mapped is gone or cut";
      case 9 -> "SIGKILL, perhaps by the kernel because memory ran out";
      case 11 -> "SIGSEGV, native code touched memory that is not its own";
      case 15 -> "SIGTERM";
      default -> "exit code " + exit;
    };
  }
}
