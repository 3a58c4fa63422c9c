package dev.semantic.simulation;

import dev.semantic.scripted.PortCall;

/** The simulation as a program of its own, for a core that was broken on purpose. */
final class Runs {
  private Runs() {}

  /** Ends with 0 if {@code args[0]} runs and every hang found nothing wrong. */
  public static void main(String[] args) {
    try {
      for (long seed = 1; seed <= Long.parseLong(args[0]); seed++) {
        Scenario.run(seed);
      }
      HangMatrixTest hangs = new HangMatrixTest();
      for (PortCall call : PortCall.values()) {
        hangs.aCallThatHangsCostsTheSwapAndNothingElse(call);
      }
    } catch (Throwable t) {
      System.out.println(t.getCause() == null ? t : t.getCause());
      System.exit(1);
    }
    System.exit(0);
  }
}
