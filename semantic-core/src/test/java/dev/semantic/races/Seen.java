package dev.semantic.races;

import static dev.semantic.races.Event.always;
import static dev.semantic.races.Event.maybe;
import static dev.semantic.races.Event.once;
import static dev.semantic.races.Event.seen;

import dev.semantic.registry.RegistryStatus.Activity;
import dev.semantic.scripted.Geometry;
import dev.semantic.swap.SwapConflict;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What a call came back with. Most calls are linearizable: one event explains them. A change of the
 * model is not, and does not claim to be: somebody else may be refused, or call it off, between its
 * beginning and its end. It is a course of events, each between the call's beginning and its end.
 */
sealed interface Seen {
  /** The events that explain it, in their order; of several courses one is enough. */
  List<List<Event>> courses(int thread);

  /** An answer, and whose weights made it. */
  record Answered(Geometry by) implements Seen {
    @Override
    public List<List<Event>> courses(int thread) {
      return List.of(List.of(seen(now -> now.model() == by)));
    }
  }

  /** No answer: it was meant for a model that neither served nor came, or it is closed. */
  record Unanswered(@Nullable Geometry meantFor) implements Seen {
    @Override
    public List<List<Event>> courses(int thread) {
      return List.of(List.of(seen(now -> now.isHopeless(meantFor))));
    }
  }

  /** A swap that went well. Whoever supersedes may have called off others before. */
  record Swapped(Geometry target, SwapConflict ifBusy) implements Seen {
    @Override
    public List<List<Event>> courses(int thread) {
      return change(
          thread,
          target,
          ifBusy,
          Activity.SUCCESS,
          always(now -> now.answeredBy(target)),
          once(Moment::commit));
    }
  }

  /** A swap that somebody called off; its target may have answered for a while. */
  record CalledOff(Geometry target, SwapConflict ifBusy) implements Seen {
    @Override
    public List<List<Event>> courses(int thread) {
      return change(
          thread,
          target,
          ifBusy,
          Activity.FAILED,
          maybe(now -> now.answeredBy(target)),
          once(Moment::wentBack));
    }
  }

  /** A swap that was called off by whoever closes, once the old model had left: nobody answers. */
  record BrokenOff(Geometry target, SwapConflict ifBusy) implements Seen {
    @Override
    public List<List<Event>> courses(int thread) {
      return change(
          thread,
          target,
          ifBusy,
          Activity.FAILED,
          once(now -> now.closed() && now.calledOff() ? now.answeredBy(null) : null));
    }
  }

  /** A swap that was called off by whoever closes, once the new model answered: it stays. */
  record Stayed(Geometry target, SwapConflict ifBusy) implements Seen {
    @Override
    public List<List<Event>> courses(int thread) {
      return change(
          thread,
          target,
          ifBusy,
          Activity.SUCCESS,
          always(now -> now.answeredBy(target)),
          once(now -> now.closed() && now.calledOff() ? now : null));
    }
  }

  /** A swap that was refused: for want of a turn only if it did not want to wait for it. */
  record Refused(SwapConflict ifBusy) implements Seen {
    @Override
    public List<List<Event>> courses(int thread) {
      return List.of(
          List.of(
              superseding(ifBusy),
              superseding(ifBusy),
              seen(now -> now.closed() || (ifBusy == SwapConflict.REFUSE && now.isTaken()))));
    }
  }

  /** What {@code cancelSwap} said. */
  record Cancel(boolean did) implements Seen {
    @Override
    public List<List<Event>> courses(int thread) {
      return List.of(
          List.of(did ? once(Moment::callOff) : seen(now -> !now.isTaken() || now.committed())));
    }
  }

  /** What {@code status} said. */
  record Stood(Optional<Geometry> serving, Activity activity) implements Seen {
    @Override
    public List<List<Event>> courses(int thread) {
      return List.of(
          List.of(
              seen(
                  now ->
                      now.activity() == activity
                          && serving.equals(Optional.ofNullable(now.model())))));
    }
  }

  /** It is closed, by this call, which calls off what is under way, or by another one. */
  record Closed() implements Seen {
    @Override
    public List<List<Event>> courses(int thread) {
      return List.of(
          List.of(seen(now -> now.closed() && now.model() == null && !now.isTaken())),
          List.of(
              once(now -> now.closed() ? null : now.close()),
              maybe(Moment::callOff),
              once(now -> now.takenForGood(thread)),
              always(now -> now.answeredBy(null)),
              always(Moment::released)));
    }
  }

  /** The course of a swap that had the turn: what becomes of the models is in its middle. */
  private static List<List<Event>> change(
      int thread, Geometry target, SwapConflict ifBusy, Activity end, Event... middle) {
    Stream<Event> before =
        Stream.of(
            superseding(ifBusy),
            superseding(ifBusy),
            once(now -> now.closed() ? null : now.taken(thread)),
            always(now -> now.shown(Activity.IN_PROGRESS)),
            always(now -> now.expecting(target)));
    Stream<Event> behind =
        Stream.of(
            always(now -> now.expecting(null)),
            always(now -> now.shown(end)),
            always(Moment::released));
    return List.of(Stream.of(before, Stream.of(middle), behind).flatMap(each -> each).toList());
  }

  private static Event superseding(SwapConflict ifBusy) {
    return ifBusy == SwapConflict.SUPERSEDE ? maybe(Moment::callOff) : always(now -> now);
  }
}
