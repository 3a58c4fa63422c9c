package dev.semantic.mlx.capi;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MlxErrorTest {
  @ParameterizedTest
  @CsvSource({
    "[add] no at /home/me/mlx-c/mlx/c/ops.cpp:12, [add] no",
    "axis 3 at end at ../mlx/c/ops.cpp:1234, axis 3 at end",
    "[eval] no at /a directory/with spaces/x.cpp:1, [eval] no",
    "stopped at 12:30, stopped at 12:30",
    "'', ''",
    "file.cpp:3 is bad, file.cpp:3 is bad"
  })
  void theBuildPathIsNobodysBusiness(String text, String clean) {
    assertEquals(clean, MlxError.withoutBuildPath(text));
  }
}
