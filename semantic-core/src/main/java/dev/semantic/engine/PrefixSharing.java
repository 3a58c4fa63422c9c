package dev.semantic.engine;

import dev.semantic.engine.IdleSequences.IdleSequence;
import dev.semantic.log.Log;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * Lets a prompt begin where another one did: agents with the same system prompt compute and hold it
 * once. In whole blocks, so that the pool can count them. On the scheduler's thread.
 */
final class PrefixSharing {
  private static final Log LOG = Log.of(PrefixSharing.class);

  private final IdleSequences idleSequences;

  PrefixSharing(IdleSequences idleSequences) {
    this.idleSequences = idleSequences;
  }

  /** A sequence that holds the first {@code tokens} of a prompt. */
  private record Donor(IdleSequence idleSequence, int tokens) {}

  /**
   * Gives everybody who has not computed anything yet the longest beginning that somebody holds.
   *
   * @return those who had better wait: somebody before them is just computing what they need
   */
  List<RunningRequest> share(Collection<RunningRequest> active, Comparator<RunningRequest> order) {
    List<RunningRequest> untouched = active.stream().filter(RunningRequest::isUntouched).toList();
    untouched.forEach(running -> begin(running, active));
    return untouched.stream()
        .filter(running -> active.stream().anyMatch(other -> computesFor(other, running, order)))
        .toList();
  }

  private void begin(RunningRequest running, Collection<RunningRequest> active) {
    List<Donor> donors = new ArrayList<>();
    int prompt = running.promptLength();
    for (RunningRequest other : active) {
      if (other != running) {
        int held = Math.min(other.computed(), common(other, running));
        consider(other.hot(), CacheReusePolicy.shareable(held, prompt), running)
            .ifPresent(donors::add);
      }
    }
    int most = CacheReusePolicy.shareable(prompt, prompt);
    if (most > running.computed() && running.looksAt(idleSequences.comings())) {
      idleSequences.forEach(
          idle ->
              consider(idle, CacheReusePolicy.shareable(common(idle, running), prompt), running)
                  .ifPresent(donors::add));
    }
    donors.sort(Comparator.comparingInt(Donor::tokens).reversed());
    for (Donor donor : donors) {
      Optional<IdleSequence> fork = fork(donor, running);
      if (fork.isPresent()) {
        IdleSequence former = running.hot();
        running.beginWith(fork.get(), donor.tokens()); // at once: it is nowhere else
        ModelRunner.close(former);
        running.agent().ifPresent(agent -> idleSequences.markInUse(agent, fork.get()));
        LOG.debug("A prompt begins with {} tokens of another", donor.tokens());
        return;
      }
    }
  }

  private static Optional<Donor> consider(IdleSequence other, int tokens, RunningRequest running) {
    return CacheReusePolicy.forks(tokens, running.computed(), other.isImported())
            && !running.wasRefusedBy(other)
        ? Optional.of(new Donor(other, tokens))
        : Optional.empty();
  }

  /** Whoever can't give it once is not asked again: every question is a call to the model. */
  private static Optional<IdleSequence> fork(Donor donor, RunningRequest running) {
    try {
      Optional<IdleSequence> fork =
          donor.idleSequence().sequence().common(running.said()) < donor.tokens()
              ? Optional.empty() // two hashes were alike by chance
              : donor.idleSequence().fork(donor.tokens());
      if (fork.isEmpty()) {
        running.refusedBy(donor.idleSequence());
      }
      return fork;
    } catch (Throwable t) { // costs a prefill, no more
      LOG.warn("A prompt cannot begin as another one did; it is computed", t);
      running.refusedBy(donor.idleSequence());
      return Optional.empty();
    }
  }

  /** Whether {@code other}, who comes first, will soon hold more of the prompt than anybody yet. */
  private static boolean computesFor(
      RunningRequest other, RunningRequest running, Comparator<RunningRequest> order) {
    return other != running
        && other.inPrefill()
        && order.compare(other, running) < 0
        && !running.wasRefusedBy(other.hot())
        && CacheReusePolicy.waits(
            CacheReusePolicy.shareable(common(other, running), running.promptLength()),
            running.computed(),
            other.computed(),
            other.hot().isImported());
  }

  private static int common(RunningRequest other, RunningRequest running) {
    return other.blocks().common(running.blocks());
  }

  private static int common(IdleSequence idle, RunningRequest running) {
    try {
      return idle.blocks().common(running.blocks());
    } catch (Throwable t) {
      LOG.warn("An idle sequence cannot tell what it holds", t);
      return 0;
    }
  }
}
