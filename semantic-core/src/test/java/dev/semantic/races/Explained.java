package dev.semantic.races;

import dev.semantic.scripted.Geometry;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jetbrains.kotlinx.lincheck.execution.ExecutionResult;
import org.jetbrains.kotlinx.lincheck.execution.ExecutionScenario;
import org.jetbrains.kotlinx.lincheck.execution.ResultWithClock;
import org.jetbrains.kotlinx.lincheck.util.ValueResult;
import org.jetbrains.lincheck.datastructures.verifier.CachedVerifier;

/**
 * Looks for an order of events that explains what all calls came back with, and in which no event
 * is outside of its call: the search of Wing and Gong (1993), with several events to a call as in
 * interval linearizability (Castañeda, Rajsbaum, Raynal 2018).
 */
public final class Explained extends CachedVerifier {
  /**
   * How far a thread has come.
   *
   * @param call the one it is in, or will make next
   * @param course which of its courses it takes
   * @param events how many of them have happened; 0 if it has not begun
   */
  private record Progress(int call, int course, int events) {}

  private record Node(List<Progress> progress, Moment moment) {}

  /** As Lincheck makes its verifiers; the specification is {@link KvView}. */
  @SuppressWarnings("UnusedVariable")
  public Explained(Class<?> subject) {}

  @Override
  public boolean verifyResultsImpl(ExecutionScenario scenario, ExecutionResult result) {
    return new Search(result.getThreadsResultsWithClock()).succeeds();
  }

  private static final class Search {
    private final List<List<ResultWithClock>> threads;
    private final Set<Node> hopeless = new HashSet<>();

    Search(List<List<ResultWithClock>> threads) {
      this.threads = threads;
    }

    boolean succeeds() {
      for (List<ResultWithClock> calls : threads) {
        for (ResultWithClock call : calls) {
          if (!(call.getResult() instanceof ValueResult)) {
            return false; // it threw what nobody announced
          }
        }
      }
      return goesOn(
          new Node(
              Collections.nCopies(threads.size(), new Progress(0, 0, 0)),
              Moment.after(Geometry.ALPHA)));
    }

    private boolean goesOn(Node node) {
      boolean ended = true;
      for (int thread = 0; thread < threads.size(); thread++) {
        Progress progress = node.progress().get(thread);
        if (progress.call() < threads.get(thread).size()) {
          ended = false;
          if (mayGoOn(node, thread, progress) && goesOn(node, thread, progress)) {
            return true;
          }
        }
      }
      return ended;
    }

    /** Not before the calls have ended that had ended when this one began. */
    private boolean mayGoOn(Node node, int thread, Progress progress) {
      ResultWithClock call = threads.get(thread).get(progress.call());
      for (int other = 0; other < threads.size(); other++) {
        if (other != thread
            && node.progress().get(other).call() < call.getClockOnStart().get(other)) {
          return false;
        }
      }
      return !hopeless.contains(node);
    }

    private boolean goesOn(Node node, int thread, Progress progress) {
      List<List<Event>> courses = seen(thread, progress).courses(thread);
      boolean begins = progress.events() == 0;
      int last = begins ? courses.size() - 1 : progress.course();
      for (int course = progress.course(); course <= last; course++) {
        List<Event> events = courses.get(course);
        Progress next =
            progress.events() + 1 == events.size()
                ? new Progress(progress.call() + 1, 0, 0)
                : new Progress(progress.call(), course, progress.events() + 1);
        for (Moment moment : events.get(progress.events()).after(node.moment())) {
          List<Progress> all = new ArrayList<>(node.progress());
          all.set(thread, next);
          Node child = new Node(all, moment);
          if (!hopeless.contains(child)) {
            if (goesOn(child)) {
              return true;
            }
            hopeless.add(child);
          }
        }
      }
      return false;
    }

    private Seen seen(int thread, Progress progress) {
      ResultWithClock call = threads.get(thread).get(progress.call());
      return (Seen) ((ValueResult) call.getResult()).getValue();
    }
  }
}
