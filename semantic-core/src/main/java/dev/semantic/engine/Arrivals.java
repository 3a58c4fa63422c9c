package dev.semantic.engine;

import dev.semantic.engine.Request.Status;
import dev.semantic.kv.AgentId;
import dev.semantic.log.Log;
import dev.semantic.timeline.Monitor;
import dev.semantic.timeline.ThreadFrame;
import dev.semantic.timeline.Timeline;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Requests that are begun, but whose agents' caches are still being read from where they are
 * parked: by threads of their own, so that everybody else is served meanwhile. Used by the
 * scheduler's thread.
 */
final class Arrivals {
  private static final Log LOG = Log.of(Arrivals.class);

  private final Timeline timeline;
  private final KvReaders kvReaders;
  private final Runnable wake;
  private final Monitor monitor;
  private final List<Reading> readings = new ArrayList<>();

  /**
   * A request on its way.
   *
   * @param tokens what its sequence should hold the beginning of
   */
  record Arrival(Request request, int[] tokens, ServingModel serving) {
    Optional<AgentId> agent() {
      return request.agent();
    }
  }

  private static final class Reading {
    private final Arrival arrival;
    private boolean done;
    private Optional<LoadedKv> found = Optional.empty();

    Reading(Arrival arrival) {
      this.arrival = arrival;
    }
  }

  /** One that may be begun now. */
  record Ready(Arrival arrival, Optional<LoadedKv> cache) {}

  /**
   * Nobody is on the way.
   *
   * @param wake tells the scheduler that one is ready
   */
  Arrivals(Timeline timeline, KvReaders kvReaders, Runnable wake) {
    this.timeline = timeline;
    this.kvReaders = kvReaders;
    this.wake = wake;
    this.monitor = timeline.monitor();
  }

  /** Begins to look for an agent's cache. */
  void read(Arrival arrival, Supplier<Optional<LoadedKv>> source) {
    Reading reading = new Reading(arrival);
    monitor.holding(() -> readings.add(reading));
    arrival.request().become(Status.LOADING_KV);
    try {
      kvReaders.start(new Read(reading, source));
    } catch (Throwable t) { // no more threads, say
      end(reading, Optional.empty());
      LOG.warn("Cannot read what {} parked", arrival.agent(), t);
    }
  }

  private final class Read implements ThreadFrame.Work {
    private final Reading reading;
    private final Supplier<Optional<LoadedKv>> source;
    private Optional<LoadedKv> found = Optional.empty();

    private Read(Reading reading, Supplier<Optional<LoadedKv>> source) {
      this.reading = reading;
      this.source = source;
    }

    @Override
    public void run() {
      found = source.get();
    }

    @Override
    public void ended(@Nullable Throwable thrown) { // costs a prefill, no more
      end(reading, found);
      wake.run();
      if (thrown != null) {
        LOG.warn(
            "Cannot read what {} parked; it will be computed again",
            reading.arrival.agent(),
            thrown);
      }
    }
  }

  private void end(Reading reading, Optional<LoadedKv> found) {
    boolean awaited =
        monitor.holding(
            () -> {
              reading.found = found;
              reading.done = true;
              return readings.contains(reading);
            });
    if (!awaited) {
      found.ifPresent(LoadedKv::drop);
    }
  }

  /** Takes out whoever is ready, in the order in which they came. */
  List<Ready> takeReady() {
    return monitor.holding(
        () -> {
          List<Ready> ready = new ArrayList<>();
          for (Reading reading : readings) {
            if (reading.done) {
              ready.add(new Ready(reading.arrival, reading.found));
            }
          }
          ready.forEach(one -> one.arrival().request().become(Status.RUNNING));
          readings.removeIf(reading -> reading.done);
          return ready;
        });
  }

  /** Takes out everybody; nobody waits for what is being read. */
  List<Arrival> takeAll() {
    return take(reading -> true);
  }

  /** Takes out those whose request nobody wants answered any more, or not any more now. */
  List<Arrival> takeOver() {
    return take(this::isOver);
  }

  private List<Arrival> take(Predicate<Reading> which) {
    List<Reading> taken =
        monitor.holding(
            () -> {
              List<Reading> those = readings.stream().filter(which).toList();
              those.forEach(reading -> reading.arrival.request().become(Status.RUNNING));
              readings.removeAll(those);
              return those;
            });
    // What is still being read is dropped by its reader.
    taken.forEach(reading -> reading.found.ifPresent(LoadedKv::drop));
    return taken.stream().map(reading -> reading.arrival).toList();
  }

  private boolean isOver(Reading reading) {
    return reading.arrival.request().isOver(timeline.nanoTime());
  }

  boolean isBusy(AgentId agent) {
    return monitor.holding(
        () ->
            readings.stream()
                .anyMatch(reading -> reading.arrival.agent().filter(agent::equals).isPresent()));
  }

  /** Whether there is nothing to do with any of them yet. */
  boolean allAreBeingRead() {
    return monitor.holding(
        () -> readings.stream().allMatch(reading -> !reading.done && !isOver(reading)));
  }
}
