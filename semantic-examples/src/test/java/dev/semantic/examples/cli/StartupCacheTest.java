package dev.semantic.examples.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StartupCacheTest {
  @ParameterizedTest
  @CsvSource({
    "true, generate m --prompt a",
    "true, --json generate m --prompt a",
    "true, demo",
    "false, generate --help",
    "false, swap a b --isolated",
    "false, info m",
    "false, models list",
    "false, ''"
  })
  void mlxIsOpenedAheadOfCommandsThatComputeHere(boolean expected, String line) {
    assertEquals(expected, StartupCache.needsMlx(List.of(line.split(" "))));
  }
}
