package dev.semantic.mlx.models.hub;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Ends responses that send nothing any more, or next to nothing. The JDK's client knows a limit for
 * the time until a response begins, and none for the time until it goes on.
 */
final class ReadTimeout implements AutoCloseable {
  /** In the time that a server may be silent it sends so much, or it only pretends to. */
  static final int LEAST_BYTES = 1 << 10;

  private final long silenceNanos;
  private final Set<Watched> open = ConcurrentHashMap.newKeySet();
  private final Thread thread;

  ReadTimeout(Duration silence) {
    silenceNanos = silence.toNanos();
    long period = Math.max(10, Math.min(1000, silence.toMillis() / 4));
    thread = Thread.ofVirtual().name("hub-stalls").start(() -> watch(period));
  }

  /** The same bytes; reading fails soon after they stop coming. */
  InputStream over(InputStream body) {
    Watched watched = new Watched(body);
    open.add(watched);
    return watched;
  }

  private void watch(long periodMillis) {
    try {
      while (true) {
        Thread.sleep(periodMillis);
        long now = System.nanoTime();
        open.stream().filter(body -> body.isSilentAt(now)).forEach(Watched::end);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // closed
    }
  }

  @Override
  public void close() {
    thread.interrupt();
  }

  private final class Watched extends FilterInputStream {
    private volatile long heard = System.nanoTime();
    private volatile boolean reading;
    private volatile boolean stalled;
    private long waitedNanos; // since there was enough of them; the reader's own, as the next is
    private long came;

    private Watched(InputStream body) {
      super(body);
    }

    /** Only while somebody waits: a slow disk is not the server's silence. */
    private boolean isSilentAt(long now) {
      return reading && now - heard > silenceNanos;
    }

    private void end() {
      stalled = true;
      open.remove(this);
      try {
        in.close();
      } catch (IOException e) {
        // whoever reads learns of the stall
      }
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] to, int from, int count) throws IOException {
      heard = System.nanoTime();
      reading = true;
      try {
        int n = in.read(to, from, count);
        if (stalled) {
          throw stall(null);
        }
        requirePace(n);
        return n;
      } catch (IOException e) {
        throw stalled ? stall(e) : e;
      } finally {
        reading = false;
      }
    }

    private void requirePace(int more) throws HubException {
      waitedNanos += System.nanoTime() - heard;
      came += Math.max(0, more);
      if (waitedNanos > silenceNanos && more >= 0) {
        if (came < LEAST_BYTES) {
          throw HubException.passing(
              "the server sent only %d bytes in %d s"
                  .formatted(came, Duration.ofNanos(waitedNanos).toSeconds()),
              null);
        }
        waitedNanos = 0;
        came = 0;
      }
    }

    private HubException stall(@Nullable IOException cause) {
      return HubException.passing(
          "the server sent nothing for " + Duration.ofNanos(silenceNanos).toSeconds() + " s",
          cause);
    }

    @Override
    public void close() throws IOException {
      open.remove(this);
      super.close();
    }
  }
}
