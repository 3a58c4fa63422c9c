package dev.semantic.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.model.ModelId;
import dev.semantic.model.ModelTag;
import dev.semantic.store.disk.Fault;
import dev.semantic.store.disk.FaultyDisk;
import dev.semantic.swap.SwapPhase;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a journal tells the next process when its disk failed, or it was cut off. */
class FailingJournalTest {
  private static final SwapEntry SWAP =
      new SwapEntry(
          "1f3a",
          Instant.parse("2026-01-02T03:04:05.678Z"),
          Optional.of(new ModelTag("alpha", "a1".repeat(32))),
          Optional.of(new ModelId("beta")));
  private static final List<SwapPhase> PHASES =
      List.of(SwapPhase.PREPARING, SwapPhase.DRAINING, SwapPhase.PARKING, SwapPhase.UNLOADING);

  private final FaultyDisk disk = FaultyDisk.create();
  @TempDir Path directory;
  private Path file;

  @BeforeEach
  void name() {
    file = disk.path(directory.resolve("swap.journal"));
  }

  private static void write(SwapJournal journal) {
    journal.begun(SWAP);
    PHASES.forEach(journal::phase);
  }

  private Optional<InterruptedSwap> told() {
    return FileSwapJournal.open(file).interrupted();
  }

  private static InterruptedSwap in(SwapPhase phase) {
    return new InterruptedSwap(SWAP, phase, ProcessHandle.current().pid());
  }

  @Test
  void cutOffAnywhereItTellsOfTheLinesThatAreWhole() throws IOException {
    write(FileSwapJournal.open(file));
    byte[] whole = Files.readAllBytes(directory.resolve("swap.journal"));
    for (int length = 0; length < whole.length; length++) {
      byte[] cut = Arrays.copyOf(whole, length);
      Files.write(directory.resolve("swap.journal"), cut);
      assertEquals(expected(cut, whole), told(), "of " + length + " bytes");
    }
  }

  /** The first line is the swap itself; a line counts without its line feed. */
  private static Optional<InterruptedSwap> expected(byte[] cut, byte[] whole) {
    long lines = 0;
    for (int i = 0; i < cut.length; i++) {
      if (whole[i + 1] == '\n') {
        lines++;
      }
    }
    return lines == 0
        ? Optional.empty()
        : Optional.of(in(PHASES.get((int) Math.max(0, lines - 2))));
  }

  /** The disk fails for a moment: what is written after that is read again. */
  @Test
  void aPhaseThatCannotBeWrittenCostsNoOther() throws IOException {
    int n = 1;
    for (boolean untouched = false; !untouched; n++) {
      FileSwapJournal journal = FileSwapJournal.open(file);
      journal.begun(SWAP);
      journal.phase(SwapPhase.PREPARING);
      disk.inject(Fault.once(n));
      journal.phase(SwapPhase.DRAINING);
      untouched = disk.operations().size() < n;
      disk.inject(Fault.NONE);
      SwapPhase told = toldNow();
      assertTrue(told == SwapPhase.PREPARING || told == SwapPhase.DRAINING, told::toString);
      journal.phase(SwapPhase.PARKING);
      assertEquals(SwapPhase.PARKING, toldNow(), disk.operations().toString());
      journal.ended();
    }
    assertTrue(n > 4, "too few faults: " + n);
  }

  /** What a process would be told that started now; the journal stays as it is. */
  private SwapPhase toldNow() throws IOException {
    Path copy = directory.resolve("copy");
    Files.write(copy, Files.readAllBytes(directory.resolve("swap.journal")));
    return FileSwapJournal.open(copy).interrupted().orElseThrow().phase();
  }

  @Test
  void aSwapThatCannotBeWrittenIsNotMixedUpWithAnother() {
    int n = 1;
    for (boolean untouched = false; !untouched; n++) {
      FileSwapJournal journal = FileSwapJournal.open(file);
      disk.inject(Fault.once(n));
      journal.begun(SWAP);
      untouched = disk.operations().size() < n;
      disk.inject(Fault.NONE);
      PHASES.forEach(journal::phase);
      Optional<InterruptedSwap> told = told();
      told.ifPresent(swap -> assertEquals(in(SwapPhase.UNLOADING), swap));
      assertTrue(told.isPresent() || !untouched);
    }
    assertTrue(n > 4, "too few faults: " + n);
  }

  @Test
  void anEndThatCannotBeWrittenIsWrittenAtTheClose() {
    FileSwapJournal journal = FileSwapJournal.open(file);
    write(journal);
    disk.inject(Fault.once(1));
    journal.ended();
    disk.inject(Fault.NONE);
    journal.close();
    assertEquals(Optional.empty(), told());
  }

  @Test
  void aJournalThatCannotBeReadCountsAsEmpty() {
    write(FileSwapJournal.open(file));
    disk.inject(Fault.from(1));
    FileSwapJournal journal = FileSwapJournal.open(file);
    disk.inject(Fault.NONE);
    assertEquals(Optional.empty(), journal.interrupted());
  }
}
