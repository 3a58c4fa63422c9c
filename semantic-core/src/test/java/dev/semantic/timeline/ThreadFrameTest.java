package dev.semantic.timeline;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What a thread of the core does after something was thrown, whatever it was. */
class ThreadFrameTest {
  private final List<String> said = Collections.synchronizedList(new ArrayList<>());

  private void end(ThreadHandle thread) throws InterruptedException {
    thread.join();
    assertFalse(thread.isAlive());
  }

  @Test
  void aRoundThatThrewIsToldAndTheNextOneComes() throws Exception {
    OutOfMemoryError cause = new OutOfMemoryError("scripted");
    end(
        ThreadFrame.rounds(
            Timeline.SYSTEM,
            "test",
            new ThreadFrame.Rounds() {
              private int round;
              private int tries;

              @Override
              public boolean round() {
                if (++round == 1) {
                  throw cause;
                }
                said.add("round " + round);
                return round < 3;
              }

              @Override
              public void failed(Throwable thrown) {
                if (++tries < 3) {
                  throw new StackOverflowError("scripted"); // no way to tell anybody yet
                }
                said.add("told after " + tries + ": " + thrown.getMessage());
              }

              @Override
              public void ended() {
                said.add("ended");
              }
            }));
    assertEquals(List.of("told after 3: scripted", "round 2", "round 3", "ended"), said);
  }

  @Test
  void whoWaitsForAPieceOfWorkIsToldWhateverItThrew() throws Exception {
    end(
        ThreadFrame.once(
            Timeline.SYSTEM,
            "test",
            new ThreadFrame.Work() {
              private int tries;

              @Override
              public void run() {
                throw new StackOverflowError("scripted");
              }

              @Override
              public void ended(@Nullable Throwable thrown) {
                if (++tries < 4) {
                  throw new OutOfMemoryError("scripted");
                }
                said.add(thrown + " after " + tries);
              }
            }));
    assertEquals(List.of("java.lang.StackOverflowError: scripted after 4"), said);
  }
}
