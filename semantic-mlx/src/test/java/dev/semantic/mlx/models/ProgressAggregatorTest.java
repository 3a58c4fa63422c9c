package dev.semantic.mlx.models;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ProgressAggregatorTest {
  private static final long SECOND = 1_000_000_000;

  private final List<Long> reported = new ArrayList<>();
  private final List<FetchEvent> events = new ArrayList<>();
  private long now;

  private final ProgressAggregator aggregator =
      new ProgressAggregator(
          new FetchProgress() {
            @Override
            public void progress(long doneBytes, long totalBytes) {
              assertEquals(1000, totalBytes);
              reported.add(doneBytes);
            }

            @Override
            public void event(FetchEvent event) {
              events.add(event);
            }
          },
          () -> now);

  private void move(long bytes, long nanos) {
    now += nanos;
    aggregator.moved(bytes);
  }

  @Test
  void neverFallsNeverExceedsAndDoesNotChatter() {
    aggregator.moved(70); // only to find out
    aggregator.found("c", 2, 1000);
    move(100, SECOND);
    move(1, 1);
    move(1, 1);
    move(-102, SECOND);
    move(50, SECOND);
    move(850, SECOND);
    move(500, 1);
    assertEquals(List.of(100L, 900L, 1000L), reported);
  }

  @Test
  void theRateIsThatOfTheLastSeconds() {
    aggregator.found("c", 2, 1000);
    move(0, SECOND);
    move(100, SECOND);
    for (int i = 0; i < 6; i++) {
      move(50, SECOND);
    }
    assertEquals(
        new FetchEvent.Moving(100, 1000, 100, Optional.of(Duration.ofSeconds(9))), events.get(1));
    assertEquals(
        new FetchEvent.Moving(400, 1000, 50, Optional.of(Duration.ofSeconds(12))),
        events.getLast());
    for (int i = 0; i < 6; i++) {
      move(0, SECOND);
    }
    assertEquals(new FetchEvent.Moving(400, 1000, 0, Optional.empty()), events.getLast());
  }
}
