package dev.semantic.store;

import static dev.semantic.store.DiskCacheStoreTest.assertSays;
import static dev.semantic.store.Snapshots.ALPHA;
import static dev.semantic.store.Snapshots.assertSame;
import static dev.semantic.store.Snapshots.small;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.kv.AgentId;
import dev.semantic.memory.ByteSize;
import dev.semantic.store.disk.Fault;
import dev.semantic.store.disk.FaultyDisk;
import dev.semantic.store.format.CacheFormat;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A disk that is full: said once, nothing that was whole is lost, and parking goes on by itself.
 */
class FullDiskTest {
  private static final AgentId ANNA = new AgentId("anna");
  private static final long PLENTY = 1L << 40;

  @TempDir Path root;
  private final HandClock clock = new HandClock();
  private final FaultyDisk disk = FaultyDisk.create();
  private StandardError log;
  private DiskCacheStore store;
  private long free = PLENTY;

  @BeforeEach
  void open() {
    log = new StandardError();
    store = opened(MaintenancePolicy.DEFAULTS);
    store.park(ANNA, small(ALPHA, 1));
  }

  private DiskCacheStore opened(MaintenancePolicy policy) {
    return DiskCacheStore.open(
        disk.path(root), new CacheFormat(clock, 64, 4), policy, where -> free);
  }

  @AfterEach
  void close() {
    store.close();
    log.close();
  }

  private void fill(String reason) {
    disk.inject(
        (count, operation) -> {
          if (operation.startsWith("write")) {
            throw new FileSystemException("cache", null, reason);
          }
        });
  }

  private DiskFullException refused() {
    DiskFullException full =
        assertThrows(DiskFullException.class, () -> store.park(ANNA, small(ALPHA, 2)));
    assertSame(small(ALPHA, 1), store.load(ANNA, ALPHA).orElseThrow());
    return full;
  }

  private boolean hasTriedToWrite() {
    return disk.operations().stream().anyMatch(operation -> operation.endsWith(".tmp"));
  }

  @Test
  void itIsSaidOnceAndGoesOnByItself() {
    free = 0;
    fill("No space left on device");
    assertSays("No space left on device", refused());
    assertTrue(hasTriedToWrite());
    ParkingStatus.Suspended status =
        assertInstanceOf(ParkingStatus.Suspended.class, store.status());
    assertEquals(clock.instant(), status.since());
    assertTrue(status.why().contains("No space left on device"), status.toString());
    disk.inject(Fault.NONE);
    assertSays("it is tried again by itself", refused());
    assertSays(root.toString(), refused());
    assertFalse(hasTriedToWrite(), "there is no more room than before");
    assertEquals(2, log.text().split("Nothing is parked", -1).length, log.text());
    free = PLENTY;
    store.park(ANNA, small(ALPHA, 2));
    assertSame(small(ALPHA, 2), store.load(ANNA, ALPHA).orElseThrow());
    assertEquals(new ParkingStatus.Parking(), store.status());
    assertTrue(log.text().contains("There is room in " + root + " again"), log.text());
  }

  /** A quota runs out although the disk has room, and ends without a sign. */
  @ParameterizedTest
  @ValueSource(strings = {"Disk quota exceeded", "There is not enough space on the disk"})
  void whatShowsNoSignIsTriedAfterAWhile(String reason) {
    fill(reason);
    assertSays(reason, refused());
    disk.inject(Fault.NONE);
    assertSays(reason, refused());
    assertFalse(hasTriedToWrite());
    clock.advance(Duration.ofSeconds(31));
    fill(reason);
    assertSays(reason, refused());
    assertTrue(hasTriedToWrite(), "it was tried");
    clock.advance(Duration.ofSeconds(31));
    disk.inject(Fault.NONE);
    store.park(ANNA, small(ALPHA, 2));
    assertEquals(2, log.text().split("Nothing is parked", -1).length, log.text());
  }

  @Test
  void whatFailsForAnotherReasonIsNoFullDisk() {
    fill("Input/output error");
    CacheException failed =
        assertThrows(CacheException.class, () -> store.park(ANNA, small(ALPHA, 2)));
    assertFalse(failed instanceof DiskFullException);
    assertEquals(new ParkingStatus.Parking(), store.status());
    disk.inject(Fault.NONE);
    store.park(ANNA, small(ALPHA, 2));
  }

  @Test
  void belowTheFloorNothingIsParked() throws IOException {
    store.close();
    ByteSize floor = ByteSize.ofMiB(100);
    store = opened(MaintenancePolicy.DEFAULTS.withLive(Retention.UNLIMITED.withFreeDisk(floor)));
    free = floor.bytes() - 1;
    disk.inject(Fault.NONE);
    assertSays("less than the 100.0 MiB", refused());
    assertFalse(hasTriedToWrite());
    clock.advance(Duration.ofMinutes(5));
    refused();
    free = floor.bytes() + ByteSize.ofMiB(2).bytes();
    store.park(ANNA, small(ALPHA, 2));
    assertEquals(new ParkingStatus.Parking(), store.status());
  }
}
