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
  List<Request> share(Collection<Request> active, Comparator<Request> order) {
    List<Request> untouched = active.stream().filter(Request::isUntouched).toList();
    untouched.forEach(running -> begin(running, active));
    return untouched.stream()
        .filter(running -> active.stream().anyMatch(other -> computesFor(other, running, order)))
        .toList();
  }

  private void begin(Request running, Collection<Request> active) {
    List<Donor> donors = new ArrayList<>();
    int prompt = running.answer().promptLength();
    for (Request other : active) {
      if (other != running) {
        int held = Math.min(other.computed(), common(other, running));
        consider(other.sequence(), CacheReusePolicy.shareable(held, prompt), running)
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
        IdleSequence former = running.sequence();
        running.beginWith(fork.get(), donor.tokens()); // at once: it is nowhere else
        ModelRunner.close(former);
        running.agent().ifPresent(agent -> idleSequences.markInUse(agent, fork.get()));
        LOG.debug("A prompt begins with {} tokens of another", donor.tokens());
        return;
      }
    }
  }

  private static Optional<Donor> consider(IdleSequence other, int tokens, Request running) {
    return CacheReusePolicy.forks(tokens, running.computed(), other.isImported())
            && !running.wasRefusedBy(other)
        ? Optional.of(new Donor(other, tokens))
        : Optional.empty();
  }

  /** Whoever can't give it once is not asked again: every question is a call to the model. */
  private static Optional<IdleSequence> fork(Donor donor, Request running) {
    try {
      Optional<IdleSequence> fork =
          donor.idleSequence().sequence().common(running.answer().tokens()) < donor.tokens()
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
  private static boolean computesFor(Request other, Request running, Comparator<Request> order) {
    return other != running
        && other.inPrefill()
        && order.compare(other, running) < 0
        && !running.wasRefusedBy(other.sequence())
        && CacheReusePolicy.waits(
            CacheReusePolicy.shareable(common(other, running), running.answer().promptLength()),
            running.computed(),
            other.computed(),
            other.sequence().isImported());
  }

  private static int common(Request other, Request running) {
    return other.answer().promptBlocks().common(running.answer().promptBlocks());
  }

  private static int common(IdleSequence idle, Request running) {
    try {
      return idle.blocks().common(running.answer().promptBlocks());
    } catch (Throwable t) {
      LOG.warn("An idle sequence cannot tell what it holds", t);
      return 0;
    }
  }
}
