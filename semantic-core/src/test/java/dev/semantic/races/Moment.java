package dev.semantic.races;

import dev.semantic.registry.RegistryStatus.Activity;
import dev.semantic.scripted.Geometry;
import org.jspecify.annotations.Nullable;

/**
 * All of a registry that a caller can tell, between two events. What happens is a method; null if
 * it cannot happen now.
 *
 * @param model who answers; null for nobody, any more
 * @param before who answered when the turn was taken
 * @param expected what requests that name it wait for
 * @param turn the thread that may change the model; {@link #NOBODY} if none does
 * @param calledOff whether the change was called off
 * @param committed whether it is too late for that
 */
record Moment(
    @Nullable Geometry model,
    @Nullable Geometry before,
    @Nullable Geometry expected,
    int turn,
    boolean calledOff,
    boolean committed,
    boolean closed,
    Activity activity) {
  static final int NOBODY = -1;

  /** A model has been loaded, and nobody has called yet. */
  static Moment after(Geometry loaded) {
    return new Moment(loaded, null, null, NOBODY, false, false, false, Activity.SUCCESS);
  }

  boolean isTaken() {
    return turn != NOBODY;
  }

  @Nullable Moment taken(int by) {
    return isTaken() ? null : new Moment(model, model, null, by, false, false, closed, activity);
  }

  /** Taken by whoever closes, whom nobody calls off. */
  @Nullable Moment takenForGood(int by) {
    Moment taken = taken(by);
    return taken == null ? null : taken.commit();
  }

  Moment released() {
    return new Moment(model, null, null, NOBODY, false, false, closed, activity);
  }

  Moment answeredBy(@Nullable Geometry next) {
    return new Moment(next, before, expected, turn, calledOff, committed, closed, activity);
  }

  Moment shown(Activity next) {
    return new Moment(model, before, expected, turn, calledOff, committed, closed, next);
  }

  Moment expecting(@Nullable Geometry next) {
    return new Moment(model, before, next, turn, calledOff, committed, closed, activity);
  }

  /** Whether a request that names a model has nothing to wait for. */
  boolean isHopeless(@Nullable Geometry meantFor) {
    return closed || (meantFor != null && meantFor != model && meantFor != expected);
  }

  /** From here on it is too late to call it off. */
  @Nullable Moment commit() {
    return calledOff
        ? null
        : new Moment(model, before, expected, turn, false, true, closed, activity);
  }

  /** Somebody calls off what is under way. */
  @Nullable Moment callOff() {
    return isTaken() && !committed
        ? new Moment(model, before, expected, turn, true, false, closed, activity)
        : null;
  }

  /** The change that was called off has gone back. */
  @Nullable Moment wentBack() {
    return calledOff ? answeredBy(before) : null;
  }

  Moment close() {
    return new Moment(model, before, expected, turn, calledOff, committed, true, activity);
  }
}
