package dev.semantic.journal;

import static dev.semantic.swap.SwapPhase.ACTIVATING;
import static dev.semantic.swap.SwapPhase.DRAINING;
import static dev.semantic.swap.SwapPhase.LOADING;
import static dev.semantic.swap.SwapPhase.PARKING;
import static dev.semantic.swap.SwapPhase.PREPARING;
import static dev.semantic.swap.SwapPhase.UNLOADING;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.model.ModelId;
import dev.semantic.model.ModelTag;
import dev.semantic.scripted.Geometry;
import dev.semantic.swap.SwapPhase;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
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
    underWay(PREPARING, DRAINING, PARKING);
    FileSwapJournal next = FileSwapJournal.open(file);
    InterruptedSwap told = next.interrupted().orElseThrow();
    assertEquals(new InterruptedSwap(ENTRY, PARKING, ProcessHandle.current().pid()), told);
    assertEquals(Optional.empty(), next.interrupted());
    assertEquals(Optional.empty(), found());
  }

  /** What the build of 30 November 2026 wrote; a file that changes has another reader beside. */
  private static final String FORMER =
      """
      8929a127 {"id":"1f3a","started":"2026-01-02T03:04:05.678901Z","pid":4711,"from":"alpha",\
      "fingerprint":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",\
      "to":"models/beta \\"two\\" – β.gguf"}
      0b660d2d {"phase":"PREPARING"}
      c0caf0c7 {"phase":"LOADING"}
      96fc0241 {"phase":"DRAINING"}
      e0324409 {"phase":"PARKING"}
      fb260ba0 {"phase":"UNLOADING"}
      8093f377 {"phase":"ACTIVATING"}
      """;

  private static final SwapEntry FORMER_ENTRY =
      new SwapEntry(
          ENTRY.id(),
          ENTRY.started(),
          Optional.of(new ModelTag("alpha", "a".repeat(64))),
          ENTRY.to());

  @Test
  void aFormerBuildsJournalIsRead() throws IOException {
    List<String> lines = FORMER.lines().toList();
    List<SwapPhase> phases = List.of(PREPARING, LOADING, DRAINING, PARKING, UNLOADING, ACTIVATING);
    for (int i = 0; i < phases.size(); i++) {
      Files.writeString(file, String.join("\n", lines.subList(0, i + 2)) + "\n");
      assertEquals(Optional.of(new InterruptedSwap(FORMER_ENTRY, phases.get(i), 4711)), found());
    }
  }

  @Test
  void theJournalIsWrittenAsFormerBuildsDid() throws IOException {
    FileSwapJournal journal = FileSwapJournal.open(file);
    journal.begun(FORMER_ENTRY);
    for (SwapPhase phase : List.of(PREPARING, LOADING, DRAINING, PARKING, UNLOADING, ACTIVATING)) {
      journal.phase(phase);
    }
    String pid = "\"pid\":" + ProcessHandle.current().pid();
    List<String> written = Files.readAllLines(file);
    List<String> former = FORMER.lines().toList();
    assertEquals(
        former.getFirst().substring(8),
        written.getFirst().substring(8).replace(pid, "\"pid\":4711"));
    assertEquals(former.subList(1, former.size()), written.subList(1, written.size()));
  }

  @Test
  void aSwapThatEndedIsNotTold() {
    underWay(PREPARING, LOADING).ended();
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
    FileSwapJournal journal = underWay(PREPARING, LOADING);
    journal.ended();
    journal.begun(ENTRY);
    journal.phase(DRAINING);
    assertEquals(DRAINING, found().orElseThrow().phase());
  }

  @Test
  void aJournalCutAnywhereIsReadUpToThere() throws IOException {
    underWay(PREPARING, DRAINING);
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
    underWay(PREPARING, DRAINING);
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
    underWay(PREPARING, LOADING).ended();
    assertEquals(Optional.empty(), found());
  }
}
