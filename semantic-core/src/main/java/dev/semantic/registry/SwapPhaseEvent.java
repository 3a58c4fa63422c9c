package dev.semantic.registry;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** A phase of a swap, for the JDK's flight recorder. */
@Name("dev.semantic.SwapPhase")
@Label("Swap Phase")
@Category({"semantic", "Swap"})
@Description("A phase of a swap between two language models")
@StackTrace(false)
final class SwapPhaseEvent extends Event {
  @Label("Swap")
  String swap = "";

  @Label("Phase")
  String phase = "";

  @Label("Bytes")
  @Description("Read ahead, loaded or reclaimed in this phase")
  @DataAmount
  long bytes;

  @Label("Agents")
  @Description("Parked in this phase")
  int agents;

  @Label("Failed")
  boolean failed;
}
