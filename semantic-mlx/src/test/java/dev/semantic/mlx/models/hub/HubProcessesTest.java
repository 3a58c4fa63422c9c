package dev.semantic.mlx.models.hub;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.mlx.models.hub.FakeHub.Asked;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** Fetches in processes of their own: two at a time, and one that may not write any more. */
class HubProcessesTest extends HubTest {
  private static final long PATIENCE_SECONDS = 60;
  private static final int MEBI = 1 << 20;
  private static final String NOTE = ".semantic.ranges";

  private Process start(String... before) throws IOException {
    List<String> command = new ArrayList<>(List.of(before));
    command.addAll(
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-XX:TieredStopAtLevel=1",
            "-XX:-UsePerfData", // a file larger than a limit on files may be
            "-cp",
            System.getProperty("java.class.path"),
            FetchProgram.class.getName(),
            hub.endpoint().toString(),
            cache.root().toString()));
    return new ProcessBuilder(command).redirectError(new File("/dev/null")).start();
  }

  /** What it says last. */
  private static String end(BufferedReader said, Process process, int code) throws Exception {
    String last = "";
    for (String line = said.readLine(); line != null; line = said.readLine()) {
      last = line;
    }
    assertTrue(process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS));
    assertEquals(code, process.exitValue(), last);
    return last;
  }

  @Test
  @EnabledOnOs({OS.LINUX, OS.MAC})
  void ofTwoProcessesOneFetchesAndTheOtherFindsItDone() throws Exception {
    aModel();
    CountDownLatch both = new CountDownLatch(1);
    var held =
        hub.trouble(
            Asked::storage,
            1,
            exchange -> {
              await(both);
              FakeHub.refuse(exchange, 503, "", "once more");
            });
    Process first = start();
    Process second = start();
    try (BufferedReader one = first.inputReader(StandardCharsets.UTF_8);
        BufferedReader other = second.inputReader(StandardCharsets.UTF_8)) {
      assertEquals(FetchProgram.BEGINS, one.readLine());
      assertEquals(FetchProgram.BEGINS, other.readLine());
      both.countDown();
      String snapshot = end(one, first, 0);
      assertEquals(snapshot, end(other, second, 0));
      assertEquals(1, held.fired(), "they were at it at the same time");
      assertArrayEquals(
          weights, Files.readAllBytes(Path.of(snapshot).resolve("model.safetensors")));
    } finally {
      first.destroyForcibly();
      second.destroyForcibly();
    }
    List<String> ranges =
        hub.asked.stream().filter(Asked::storage).map(a -> a.header("Range")).toList();
    assertEquals(3 + held.fired(), ranges.size(), () -> "fetched twice: " + ranges);
    assertEquals(List.of(), halfDone());
  }

  private static void await(CountDownLatch latch) throws IOException {
    try {
      if (!latch.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
        throw new IOException("nobody came");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** As on a disk that becomes full in the middle: it had room when the fetch began. */
  @Test
  @EnabledOnOs({OS.LINUX, OS.MAC})
  void whatCannotBeWrittenToItsEndIsNotPublishedAndGoesOnLater() throws Exception {
    aModel();
    Process limited = start("/bin/sh", "-c", "ulimit -f 36864 && exec \"$0\" \"$@\""); // 18 MiB
    try (BufferedReader said = limited.inputReader(StandardCharsets.UTF_8)) {
      String message = end(said, limited, 1);
      assertTrue(message.contains("cannot be written"), message);
      assertTrue(message.contains("is there room on the disk?"), message);
    } finally {
      limited.destroyForcibly();
    }
    assertNothingPublished();
    assertTrue(!halfDone().isEmpty(), "what has come is kept");
    hub.asked.clear();
    Path snapshot = fetch("org/model");
    assertArrayEquals(weights, Files.readAllBytes(snapshot.resolve("model.safetensors")));
    long again =
        hub.asked.stream().filter(Asked::storage).mapToLong(HubProcessesTest::length).sum();
    assertTrue(again > 0 && again <= 18 * MEBI, () -> again + " bytes were fetched again");
    assertEquals(List.of(), halfDone());
  }

  /** Nobody is asked before a power switch, or kill -9: what has come is noted all along. */
  @Test
  void aKilledFetchGoesOnWhereItWas() throws Exception {
    aModel();
    hub.trouble(Asked::storage, 99, hub.stall("model.safetensors"));
    Process killed = start();
    try {
      Path noted = cache.blobs(FakeHub.ID).resolve(hub.etag("model.safetensors") + NOTE);
      Awaitility.await()
          .atMost(Duration.ofSeconds(PATIENCE_SECONDS))
          .until(() -> Files.exists(noted) && sum(noted) == weights.length / 2);
    } finally {
      killed.destroyForcibly().waitFor();
    }
    hub.close();
    open();
    aModel();
    Path snapshot = fetch("org/model");
    assertArrayEquals(weights, Files.readAllBytes(snapshot.resolve("model.safetensors")));
    long again =
        hub.asked.stream().filter(Asked::storage).mapToLong(HubProcessesTest::length).sum();
    assertEquals(weights.length / 2, again);
  }

  private static long sum(Path notes) throws IOException {
    String counts = Files.readAllLines(notes).getLast();
    return Arrays.stream(counts.split(" ", -1)).mapToLong(Long::parseLong).sum();
  }

  private static long length(Asked asked) {
    String[] ends = asked.header("Range").replace("bytes=", "").split("-", -1);
    return Long.parseLong(ends[1]) - Long.parseLong(ends[0]) + 1;
  }
}
