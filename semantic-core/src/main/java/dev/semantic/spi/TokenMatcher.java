package dev.semantic.spi;

import dev.semantic.model.ModelException;
import java.util.BitSet;

/**
 * A {@link dev.semantic.generate.Constraint} at work on one answer: which tokens may come next.
 * Used by one thread at a time, never by the one that steps the model: a call takes microseconds as
 * a rule, and seconds at worst. Any thread may close it, also while another is in a call.
 */
public interface TokenMatcher extends AutoCloseable {
  /**
   * What may come next.
   *
   * @param allowed the tokens; never empty, unless some are forced. Where the answer may end, the
   *     tokens that end it are among them; where it must, there are no others
   * @param forced tokens that come now in any case, in order: text that is sure, cut as the model's
   *     tokenizer cuts it. They are still to be accepted
   */
  @SuppressWarnings("ArrayRecordComponent") // made for whoever asked
  record Next(BitSet allowed, int... forced) {}

  /**
   * Takes the next tokens of the answer, which were allowed or forced.
   *
   * @param tokens none at its beginning
   * @throws ModelException if they were not, or what may follow takes too long to say; there is no
   *     way on then
   */
  Next accept(int... tokens);

  @Override
  void close();
}
