package dev.semantic.simulation;

import dev.semantic.model.ModelException;
import dev.semantic.scripted.PortCall;
import dev.semantic.store.CacheException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/** Calls of strangers' code that take time, fail or hang, as the seed has it. */
final class PortTrouble implements Consumer<PortCall> {
  /** What ports alone do: as the first runs had it, whose seeds are kept. */
  private static final Kind[] PLAIN = {
    Kind.DECLARED, Kind.BUG, Kind.IMPOSSIBLE, Kind.NO_MEMORY, Kind.SECONDS
  };

  private static final Kind[] THROWN = {
    Kind.DECLARED,
    Kind.BUG,
    Kind.IMPOSSIBLE,
    Kind.NO_MEMORY,
    Kind.TOO_DEEP,
    Kind.NOT_LINKED,
    Kind.SNEAKY,
    Kind.MUTE
  };

  private static final Kind[] ALL_THAT_ENDS = {
    Kind.DECLARED,
    Kind.BUG,
    Kind.IMPOSSIBLE,
    Kind.NO_MEMORY,
    Kind.TOO_DEEP,
    Kind.NOT_LINKED,
    Kind.SNEAKY,
    Kind.MUTE,
    Kind.SECONDS,
    Kind.HOUR
  };

  private static final Kind[] HANGS = {Kind.SECONDS, Kind.HOUR, Kind.NEVER, Kind.NEVER};

  /** Longer than anybody may wait for anything. */
  private static final Duration NEVER = Duration.ofDays(10);

  private final SimulatedTimeline time;
  private final int percent;
  private final Kind[] kinds;
  private final Set<PortCall> failed = EnumSet.noneOf(PortCall.class);
  private final List<String> told = new ArrayList<>();
  private boolean active;
  private boolean hung;
  private boolean hungLong;
  private boolean loggerHung;
  private boolean never;
  private boolean any;
  private boolean over; // nobody waits for anything any more
  private boolean outwaited;

  /** How strangers' code does not do what it should. */
  private enum Kind {
    DECLARED,
    BUG,
    IMPOSSIBLE,
    NO_MEMORY,
    TOO_DEEP,
    NOT_LINKED,
    SNEAKY,
    MUTE,
    SECONDS,
    HOUR,
    NEVER
  }

  private PortTrouble(SimulatedTimeline time, int percent, Kind[] kinds) {
    this.time = time;
    this.percent = percent;
    this.kinds = kinds;
  }

  /**
   * Exceptions, and hangs of some seconds; none yet.
   *
   * @param percent of the calls fail
   */
  static PortTrouble plain(SimulatedTimeline time, int percent) {
    return new PortTrouble(time, percent, PLAIN);
  }

  /**
   * All that can be thrown, and hangs that nobody outwaits; none yet.
   *
   * @param percent of the calls fail
   * @param never whether some of them never come back
   */
  static PortTrouble any(SimulatedTimeline time, int percent, boolean never) {
    return new PortTrouble(time, percent, never ? HANGS : ALL_THAT_ENDS);
  }

  void begin() {
    active = true;
  }

  void end() {
    active = false;
  }

  boolean isActive() {
    return active;
  }

  /** The registry is closed, and whatever still hangs is waited for by nobody. */
  void closed() {
    over = true;
  }

  /** Whether anything hung for longer than somebody would wait. */
  boolean hung() {
    return hung;
  }

  /** Whether anything hung for longer than it takes to close. */
  boolean hungLong() {
    return hungLong;
  }

  /** Whether a logger hung, which counts for nothing else. */
  boolean loggerHung() {
    return loggerHung;
  }

  /** Whether some call never came back. */
  boolean never() {
    return never;
  }

  /** Whether somebody waited for what never came back. */
  boolean outwaited() {
    return outwaited;
  }

  /** Whether anything failed at all. */
  boolean any() {
    return any;
  }

  /** Whether no such call failed. */
  boolean spared(Set<PortCall> calls) {
    return calls.stream().noneMatch(failed::contains);
  }

  /** What went wrong, in order. */
  @Override
  public String toString() {
    return told.toString();
  }

  @Override
  public void accept(PortCall call) {
    time.maybeSwitch();
    if (!active) {
      return;
    }
    if (time.random(4) == 0) {
      time.pause(Duration.ofNanos(time.random(5_000_000)));
    }
    if (percent > 0 && time.random(100) < percent) {
      any = true;
      failed.add(call);
      fail(call.name(), kinds[time.random(kinds.length)]);
    }
  }

  /** A listener or a guard, who may do anything. */
  void strike(String who) {
    time.maybeSwitch();
    if (active && time.random(100) < 20) {
      any = true;
      fail(who, kinds[time.random(kinds.length)]);
    }
  }

  /** A logger, who may throw anything, or not come back for an hour; nothing else may suffer. */
  void shout(String who) {
    int kind = time.random(THROWN.length + 1);
    if (kind < THROWN.length) {
      fail(who, THROWN[kind]);
    } else {
      loggerHung = true;
      time.pause(Duration.ofHours(1));
    }
  }

  private void fail(String who, Kind kind) {
    if (told.size() < 50) {
      told.add("%s %s".formatted(who, kind));
    }
    String message = "simulated: " + who;
    switch (kind) {
      case DECLARED ->
          throw who.startsWith("STORE")
              ? new CacheException(message)
              : new ModelException(ModelException.Kind.FAILED, message);
      case BUG -> throw new IllegalStateException(message);
      case IMPOSSIBLE -> throw new AssertionError(message);
      case NO_MEMORY -> throw new OutOfMemoryError(message);
      case TOO_DEEP -> throw new StackOverflowError(message);
      case NOT_LINKED -> throw new NoClassDefFoundError(message);
      case SNEAKY -> throw PortTrouble.<RuntimeException>sneaky(new IOException(message));
      case MUTE -> throw new MuteException();
      case SECONDS -> hang(Duration.ofSeconds(5));
      case HOUR -> {
        hungLong |= !isHosts();
        hang(isHosts() ? Duration.ofSeconds(5) : Duration.ofHours(1));
      }
      case NEVER -> {
        if (isHosts()) { // who calls it himself waits for it
          hang(Duration.ofSeconds(5));
        } else {
          never = true;
          long end = time.nanoTime() + NEVER.toNanos();
          while (time.nanoTime() < end) { // nor does it hear an interrupt
            hang(Duration.ofNanos(end - time.nanoTime()));
          }
          outwaited |= !over;
        }
      }
    }
  }

  private void hang(Duration how) {
    hung = true;
    time.pause(how);
  }

  private static boolean isHosts() {
    return !Thread.currentThread().getName().startsWith("semantic-");
  }

  @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
  private static <T extends Throwable> T sneaky(Throwable failure) throws T {
    throw (T) failure;
  }

  /** Throws when it is asked why. */
  private static final class MuteException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    @Override
    public String getMessage() {
      throw new IllegalStateException("simulated: no message");
    }

    @Override
    public String toString() {
      throw new IllegalStateException("simulated: no text");
    }
  }
}
