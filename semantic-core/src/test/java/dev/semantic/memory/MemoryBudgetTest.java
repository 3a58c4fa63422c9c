package dev.semantic.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class MemoryBudgetTest {
  private static final MemoryBudget TEN = new MemoryBudget(new ByteSize(10));

  @Test
  void holdsWhatSumsUpToNoMore() {
    assertTrue(TEN.holds());
    assertTrue(TEN.holds(new ByteSize(10)));
    assertTrue(TEN.holds(new ByteSize(4), new ByteSize(6), ByteSize.ZERO));
    assertFalse(TEN.holds(new ByteSize(11)));
    assertFalse(TEN.holds(new ByteSize(5), new ByteSize(6)));
  }

  @Test
  void aSumThatOverflowsDoesNotFit() {
    ByteSize most = new ByteSize(Long.MAX_VALUE);
    assertFalse(TEN.holds(most, most, new ByteSize(12)));
    assertFalse(new MemoryBudget(most).holds(most, new ByteSize(1)));
  }

  @Test
  void nothingIsNoBudget() {
    assertThrows(IllegalArgumentException.class, () -> new MemoryBudget(ByteSize.ZERO));
  }

  @Test
  void theSystemsBudgetStaysBelowTheContainersLimit() throws IOException {
    long budget = MemoryBudget.ofSystem().total().bytes();
    assertTrue(budget > 100L << 20, "less than this JVM takes: " + budget);
    for (Path limit :
        List.of(
            Path.of("/sys/fs/cgroup/memory.max"),
            Path.of("/sys/fs/cgroup/memory/memory.limit_in_bytes"))) {
      if (Files.isReadable(limit) && Files.readString(limit).strip().matches("\\d{1,18}")) {
        assertTrue(budget < Long.parseLong(Files.readString(limit).strip()), limit.toString());
      }
    }
  }

  @Test
  void aReportTellsWhichPartOfTheModelIsGone() {
    ReclaimReport all = report(1_000, 200, 800);
    assertEquals(new ByteSize(800), all.reclaimed());
    assertEquals(1.0, all.reclaimedShare());
    assertEquals("800 B of 800 B reclaimed (100.00 %)", all.toString());
    assertEquals(0.75, report(1_000, 400, 800).reclaimedShare());
    assertEquals(0.0, report(1_000, 1_000, 800).reclaimedShare());
  }

  @Test
  void aShareStaysBetweenNothingAndAll() {
    assertEquals(0.0, report(1_000, 1_200, 800).reclaimedShare());
    assertEquals(1.0, report(1_000, 100, 800).reclaimedShare());
    assertEquals(1.0, report(100, 100, 0).reclaimedShare());
  }

  private static ReclaimReport report(long before, long after, long model) {
    return new ReclaimReport(
        new ByteSize(before), new ByteSize(after), new ByteSize(model), List.of());
  }
}
