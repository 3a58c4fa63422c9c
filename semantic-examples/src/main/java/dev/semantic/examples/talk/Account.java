package dev.semantic.examples.talk;

import java.util.ArrayList;
import java.util.List;

/** What became of every request. Thread-safe. */
public final class Account {
  private final List<Spoken> answers = new ArrayList<>();
  private int accepted;
  private int refused;
  private int lost;
  private int wrong;

  Account() {}

  synchronized void accept() {
    accepted++;
  }

  synchronized void answered(Spoken answer, boolean byTheRightModel) {
    answers.add(answer);
    if (!byTheRightModel) {
      wrong++;
    }
  }

  /** Told why, and asked again. */
  synchronized void refuse() {
    refused++;
  }

  /** No end at all. */
  synchronized void lose() {
    lost++;
  }

  /** In the order in which they came. */
  public synchronized List<Spoken> answers() {
    return List.copyOf(answers);
  }

  public synchronized int accepted() {
    return accepted;
  }

  /** Requests that ended with a reason instead of an answer, and were asked again. */
  public synchronized int refusals() {
    return refused;
  }

  /** Requests that came to no end. */
  public synchronized int lostRequests() {
    return lost;
  }

  /** Answers of other weights than those that were asked. */
  public synchronized int wrongModelAnswers() {
    return wrong;
  }
}
