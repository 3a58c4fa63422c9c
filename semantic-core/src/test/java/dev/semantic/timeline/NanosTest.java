package dev.semantic.timeline;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.temporal.ChronoUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NanosTest {
  private static final Duration EVER = ChronoUnit.FOREVER.getDuration();

  @Test
  void anyDurationHasNanoseconds() {
    assertEquals(Nanos.FOREVER, Nanos.of(EVER));
    assertEquals(0, Nanos.of(EVER.negated()));
    assertEquals(0, Nanos.of(Duration.ofSeconds(Long.MIN_VALUE)));
    assertEquals(1_000_000, Nanos.of(Duration.ofMillis(1)));
  }

  /** A clock may begin anywhere. */
  @ParameterizedTest
  @ValueSource(longs = {0, 17, -17, Long.MAX_VALUE, Long.MAX_VALUE - 5, Long.MIN_VALUE})
  void aMomentComesWhereverTheClockStands(long now) {
    assertEquals(Nanos.FOREVER, Nanos.until(Nanos.after(now, EVER), now));
    assertTrue(Nanos.until(Nanos.after(now, Duration.ZERO), now) <= 0);
    assertTrue(Nanos.until(Nanos.after(now, Duration.ofNanos(5)), now) >= 4);
    assertTrue(Nanos.until(Nanos.after(now, Duration.ofNanos(5)), now + 9) < 0);
  }

  @Test
  void aMultipleIsAtMostForEver() {
    assertEquals(EVER, Nanos.times(EVER, 1 << 20));
    assertEquals(Duration.ofSeconds(6), Nanos.times(Duration.ofSeconds(3), 2));
  }
}
