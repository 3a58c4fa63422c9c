package dev.semantic.mlx.models;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;

class UserCacheTest {
  private static String root(String os, Map<String, String> environment) {
    return UserCache.of(environment, os, "/java/home").root().toString();
  }

  @Test
  void theEnvironmentComesBeforeJavasIdeaOfHome() {
    assertEquals("/java/home/.cache/semantic", root("Linux", Map.of()));
    assertEquals("/h/.cache/semantic", root("Linux", Map.of("HOME", "/h")));
    assertEquals("/x/semantic", root("Linux", Map.of("HOME", "/h", "XDG_CACHE_HOME", "/x")));
    assertEquals("/s", root("Linux", Map.of("HOME", "/h", "SEMANTIC_HOME", "/s")));
    assertEquals("/h/Library/Caches/semantic", root("Mac OS X", Map.of("HOME", "/h")));
  }

  @Test
  void emptyAndRelativeValuesDoNotCount() {
    var environment = Map.of("SEMANTIC_HOME", " ", "XDG_CACHE_HOME", "relative", "HOME", "");
    assertEquals("/java/home/.cache/semantic", root("Linux", environment));
  }

  @Test
  void isAbsolute() {
    assertEquals(Path.of("a").toAbsolutePath(), new UserCache(Path.of("b/../a")).root());
  }
}
