package dev.semantic.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.memory.ByteSize;
import dev.semantic.model.ModelSpec;
import dev.semantic.registry.Simulated;
import dev.semantic.scripted.Geometry;
import dev.semantic.scripted.ScriptedHost;
import dev.semantic.swap.ModelSwapException;
import dev.semantic.swap.SwapListener;
import dev.semantic.swap.SwapPhase;
import dev.semantic.swap.SwapPlan;
import dev.semantic.swap.SwapReport;
import dev.semantic.timeline.ThreadHandle;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A listener that does not come back for an hour; in virtual time. */
class HangingListenersTest {
  private static final Duration HOUR = Duration.ofHours(1);

  private final SimulatedTimeline time = new SimulatedTimeline(1, 10);
  private final Hanging hanging = new Hanging();
  private final Heard others = new Heard();
  private final ScriptedHost host =
      new ScriptedHost(
          ScriptedHost.ROOMY,
          builder -> Simulated.in(time, builder).listener(hanging).listener(others));

  HangingListenersTest() {
    host.registry.load(Geometry.ALPHA.id());
  }

  /** What a listener hears of. */
  enum News {
    PLANNED,
    PHASE,
    PROGRESS,
    FINISHED
  }

  /** Writes down what it hears. */
  private static class Heard implements SwapListener {
    final List<String> all = new ArrayList<>();

    void hear(News news) {
      all.add(news.name());
    }

    @Override
    public void planned(SwapPlan plan) {
      hear(News.PLANNED);
    }

    @Override
    public void phase(SwapPhase phase) {
      hear(News.PHASE);
    }

    @Override
    public void progress(ByteSize done, ByteSize total) {
      hear(News.PROGRESS);
    }

    @Override
    public void finished(SwapReport report) {
      hear(News.FINISHED);
    }
  }

  private final class Hanging extends Heard {
    private Optional<News> on = Optional.empty();

    @Override
    void hear(News news) {
      super.hear(news);
      if (on.filter(news::equals).isPresent()) {
        time.pause(HOUR);
      }
    }
  }

  @AfterEach
  void itComesBackAtLast() {
    hanging.on = Optional.empty();
    time.pause(HOUR.multipliedBy(2));
    host.close();
    time.pause(Duration.ofMinutes(1));
    assertEquals(List.of(), time.living());
  }

  private Duration swapTo(Geometry target) {
    long before = time.nanoTime();
    try {
      host.registry.swapWithRollback(target.id());
    } catch (ModelSwapException e) {
      throw new AssertionError(e);
    }
    assertEquals(
        Optional.of(target.id()), host.registry.current().map(ModelSpec::id), "who serves?");
    return Duration.ofNanos(time.nanoTime() - before);
  }

  @ParameterizedTest
  @EnumSource
  void costsASwapSecondsAndNobodyElseAnything(News news) {
    others.all.clear();
    hanging.on = Optional.of(news);
    Duration took = swapTo(Geometry.BETA);
    assertTrue(took.compareTo(Duration.ofSeconds(6)) < 0, took::toString);
    assertTrue(others.all.contains(news.name()), others.all::toString);
    assertEquals(News.FINISHED.name(), others.all.getLast());
  }

  @Test
  void isNotWaitedForAgainUntilItHasComeBackAndHearsOfSwapsThen() {
    hanging.on = Optional.of(News.PHASE);
    swapTo(Geometry.BETA);
    hanging.on = Optional.empty();
    hanging.all.clear();
    assertTrue(swapTo(Geometry.ALPHA).compareTo(Duration.ofSeconds(1)) < 0);
    assertEquals(List.of(), hanging.all, "it is told something while it is told something");
    time.pause(HOUR);
    others.all.clear();
    swapTo(Geometry.BETA);
    assertEquals(others.all, hanging.all);
    assertFalse(hanging.all.isEmpty());
  }

  @ParameterizedTest
  @EnumSource
  void keepsNobodyFromClosing(News news) {
    hanging.on = Optional.of(news);
    ThreadHandle swap = time.start("swapper", () -> swapTo(Geometry.BETA));
    time.pause(Duration.ofSeconds(1));
    assertTrue(swap.isAlive(), "nobody waits for it");
    long before = time.nanoTime();
    host.registry.close();
    Duration took = Duration.ofNanos(time.nanoTime() - before);
    assertTrue(took.compareTo(Duration.ofSeconds(30)) < 0, took::toString);
  }
}
