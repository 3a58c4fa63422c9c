package dev.semantic.mlx.files;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OnceDirectoryTest {
  @TempDir Path home;

  private final AtomicInteger built = new AtomicInteger();

  private Path make(Path target) throws IOException {
    return OnceDirectory.make(
        target,
        directory -> Files.readString(directory.resolve("content")).equals("whole"),
        empty -> {
          built.incrementAndGet();
          Files.writeString(empty.resolve("content"), "whole");
        });
  }

  @Test
  void isBuiltOnceHoweverManyAskAtOnce() throws Exception {
    Path target = home.resolve("new/thing");
    List<Callable<Path>> askers = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      askers.add(() -> make(target));
    }
    try (var threads = Executors.newFixedThreadPool(askers.size())) {
      for (Future<Path> asked : threads.invokeAll(askers)) {
        assertEquals(target, asked.get());
      }
    }
    assertEquals(1, built.get());
    assertEquals(List.of("thing", "thing.lock"), namesIn(home.resolve("new")));
  }

  @Test
  void isBuiltAgainWhenDamaged() throws IOException {
    Path target = make(home.resolve("thing"));
    Files.writeString(target.resolve("content"), "hole");
    make(target);
    assertEquals("whole", Files.readString(target.resolve("content")));
    assertEquals(2, built.get());
  }

  @Test
  void aFailedBuildLeavesNothingAndTheNextOneSucceeds() throws IOException {
    Path target = home.resolve("thing");
    var failure =
        assertThrows(
            IOException.class,
            () ->
                OnceDirectory.make(
                    target,
                    directory -> true,
                    empty -> {
                      Files.writeString(empty.resolve("half"), "");
                      throw new IOException("no space left");
                    }));
    assertEquals("no space left", failure.getMessage());
    assertEquals(List.of("thing.lock"), namesIn(home));
    make(target);
    assertTrue(Files.exists(target.resolve("content")));
  }

  @Test
  void sweepsWhatAKilledBuilderLeft() throws IOException {
    Path left = Files.createDirectories(home.resolve("thing.part-123/deep"));
    Files.writeString(left.resolve("half"), "");
    make(home.resolve("thing"));
    assertFalse(Files.exists(home.resolve("thing.part-123")));
  }

  private static List<String> namesIn(Path directory) throws IOException {
    try (Stream<Path> entries = Files.list(directory)) {
      return entries.map(p -> p.getFileName().toString()).sorted().toList();
    }
  }
}
