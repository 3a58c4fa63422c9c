package dev.semantic.simulation;

import dev.semantic.scripted.PortCall;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import org.junit.jupiter.api.Test;

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
      everyTestOf(Class.forName("dev.semantic.registry.BackgroundParkingTest"));
      everyTestOf(Class.forName("dev.semantic.registry.AgentPrefetchTest"));
      everyTestOf(Class.forName("dev.semantic.registry.ParkedAsTheStoreSaysTest"));
      everyTestOf(Class.forName("dev.semantic.registry.KnownDefectsTest"));
    } catch (Throwable t) {
      System.out.println(t.getCause() == null ? t : t.getCause());
      System.exit(1);
    }
    System.exit(0);
  }

  /**
   * What no simulation asks: whether anything was parked or brought back that need not have been,
   * and what a step does that comes back after it was given up, however late.
   */
  private static void everyTestOf(Class<?> tests) throws Throwable {
    for (Method test : tests.getDeclaredMethods()) {
      if (test.isAnnotationPresent(Test.class)) {
        Constructor<?> make = tests.getDeclaredConstructor();
        make.setAccessible(true);
        test.setAccessible(true);
        try {
          test.invoke(make.newInstance());
        } catch (InvocationTargetException e) {
          throw e.getCause() == null ? e : e.getCause();
        }
      }
    }
  }
}
