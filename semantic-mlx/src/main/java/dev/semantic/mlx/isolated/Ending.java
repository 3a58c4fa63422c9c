package dev.semantic.mlx.isolated;

/** How a process ended, in words. */
final class Ending {
  private static final int SIGNALLED = 128;

  private Ending() {}

  static String of(int exit) {
    return switch (exit - SIGNALLED) {
      case 4 -> "SIGILL, an instruction that this machine does not have";
      case 6 -> "SIGABRT, native code gave up";
      case 7 -> "SIGBUS, a file that it had mapped is gone or cut";
      case 9 -> "SIGKILL, perhaps by the kernel because memory ran out";
      case 11 -> "SIGSEGV, native code touched memory that is not its own";
      case 15 -> "SIGTERM";
      default -> "exit code " + exit;
    };
  }
}
