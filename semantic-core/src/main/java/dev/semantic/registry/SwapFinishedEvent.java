package dev.semantic.registry;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Timespan;
import org.jspecify.annotations.Nullable;

/** A whole swap, for the JDK's flight recorder. */
@Name("dev.semantic.Swap")
@Label("Swap")
@Category({"semantic", "Swap"})
@Description("A swap from one language model to another, from call to return")
@StackTrace(false)
final class SwapFinishedEvent extends Event {
  @Label("Swap")
  String swap = "";

  @Label("From")
  @Nullable String from;

  @Label("To")
  @Nullable String to;

  @Label("Outcome")
  String outcome = "";

  @Label("Serving")
  @Nullable String serving;

  @Label("Blackout")
  @Timespan(Timespan.NANOSECONDS)
  long blackout;

  @Label("Reclaimed")
  @DataAmount
  long reclaimed;

  @Label("Agents Parked")
  int agentsParked;

  @Label("Agents Restored")
  int agentsRestored;
}
