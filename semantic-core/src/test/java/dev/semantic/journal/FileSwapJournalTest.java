package dev.semantic.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.model.ModelId;
import dev.semantic.scripted.Geometry;
import dev.semantic.swap.SwapPhase;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the next process reads of a swap that this one did not end. */
class FileSwapJournalTest {
  private static final SwapEntry ENTRY =
      new SwapEntry(
          "1f3a",
          Instant.parse("2026-01-02T03:04:05.678901Z"),
          Optional.of(Geometry.ALPHA.tag()),
          Optional.of(new ModelId("models/beta \"two\" – β.gguf")));

  @TempDir Path directory;
  private Path file;

  @BeforeEach
  void name() {
    file = directory.resolve("swap.journal");
  }

  private FileSwapJournal underWay(SwapPhase... phases) {
    FileSwapJournal journal = FileSwapJournal.open(file);
    journal.begun(ENTRY);
    for (SwapPhase phase : phases) {
      journal.phase(phase);
    }
    return journal;
  }

  private Optional<InterruptedSwap> found() {
    return FileSwapJournal.open(file).interrupted();
  }

  @Test
  void aSwapThatDidNotEndIsToldOnceWithItsLastPhase() {
    underWay(SwapPhase.PREPARING, SwapPhase.DRAINING, SwapPhase.PARKING);
    FileSwapJournal next = FileSwapJournal.open(file);
    InterruptedSwap told = next.interrupted().orElseThrow();
    assertEquals(
        new InterruptedSwap(ENTRY, SwapPhase.PARKING, ProcessHandle.current().pid()), told);
    assertEquals(Optional.empty(), next.interrupted());
    assertEquals(Optional.empty(), found());
  }

  @Test
  void aSwapThatEndedIsNotTold() {
    underWay(SwapPhase.PREPARING, SwapPhase.LOADING).ended();
    assertEquals(Optional.empty(), found());
  }

  @Test
  void theFirstLoadAndAnUnloadAreSwapsToo() {
    FileSwapJournal journal = FileSwapJournal.open(file);
    SwapEntry nothing = new SwapEntry("0", Instant.EPOCH, Optional.empty(), Optional.empty());
    journal.begun(nothing);
    assertEquals(nothing, found().orElseThrow().swap());
  }

  @Test
  void anotherSwapTakesThePlaceOfTheLast() {
    FileSwapJournal journal = underWay(SwapPhase.PREPARING, SwapPhase.LOADING);
    journal.ended();
    journal.begun(ENTRY);
    journal.phase(SwapPhase.DRAINING);
    assertEquals(SwapPhase.DRAINING, found().orElseThrow().phase());
  }

  @Test
  void aJournalCutAnywhereIsReadUpToThere() throws IOException {
    underWay(SwapPhase.PREPARING, SwapPhase.DRAINING);
    byte[] whole = Files.readAllBytes(file);
    int begun = new String(whole, java.nio.charset.StandardCharsets.UTF_8).indexOf('\n');
    for (int length = 0; length < whole.length; length++) {
      Files.write(file, java.util.Arrays.copyOf(whole, length));
      Optional<InterruptedSwap> found = found();
      assertEquals(length >= begunBytes(whole), found.isPresent(), "cut at " + length);
    }
    assertTrue(begun > 0);
  }

  /** A line is whole without its line end. */
  private static int begunBytes(byte[] whole) {
    int at = 0;
    while (whole[at] != '\n') {
      at++;
    }
    return at;
  }

  @Test
  void aBitThatFlippedIsNotBelieved() throws IOException {
    underWay(SwapPhase.PREPARING, SwapPhase.DRAINING);
    byte[] whole = Files.readAllBytes(file);
    InterruptedSwap right = FileSwapJournal.open(file).interrupted().orElseThrow();
    for (int bit = 0; bit < whole.length * 8; bit++) {
      byte[] damaged = whole.clone();
      damaged[bit / 8] ^= (byte) (1 << bit % 8);
      Files.write(file, damaged);
      found().ifPresent(told -> assertEquals(right.swap(), told.swap()));
    }
  }

  @Test
  void aJournalThatCannotBeWrittenOrReadIsNoReasonToFail() throws IOException {
    Files.createDirectory(file);
    underWay(SwapPhase.PREPARING, SwapPhase.LOADING).ended();
    assertEquals(Optional.empty(), found());
  }
}
