package dev.semantic.mlx.models.hub;

import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;

/**
 * A model's files without its weights: configuration and index whole, and of each file of weights
 * what stands at its front. They are as long as the real ones, and take no room on a disk whose
 * files may have holes. Enough to say what a model is and what it takes, before it is fetched.
 */
final class HubOutline {
  /** A GGUF file's front holds its vocabulary, and nobody says beforehand where it ends. */
  private static final long GGUF_FRONT = 24L << 20;

  /** What safetensors' own library takes. */
  private static final long LONGEST_HEADER = 100_000_000;

  /** Of what stands at the front of one file. */
  private static final Duration LONGEST = Duration.ofHours(1);

  private final HubHttp http;
  private final HubApi api;
  private final Retrying retrying;

  HubOutline(HubHttp http, Retrying retrying) {
    this.http = http;
    this.api = new HubApi(http, retrying);
    this.retrying = retrying;
  }

  /**
   * Lays the files out.
   *
   * @param into an empty directory
   * @return bytes that a fetch of the model would bring
   */
  long lay(HubRepo repo, Path into) throws IOException, InterruptedException {
    Listing listing = api.list(repo);
    FileSelector selector = FileSelector.of(listing);
    if (selector.index().isPresent()) {
      RemoteFile index = selector.index().get();
      Files.write(into.resolve(FileSelector.INDEX), bytes(listing, index, 0, index.sizeBytes()));
      selector = selector.with(into.resolve(FileSelector.INDEX));
    }
    long all = 0;
    for (RemoteFile file : selector.files()) {
      retrying.requireWanted();
      all += file.sizeBytes();
      if (file.path().equals(FileSelector.CONFIG)) {
        Files.write(into.resolve(FileSelector.CONFIG), bytes(listing, file, 0, file.sizeBytes()));
      } else if (file.path().endsWith(".safetensors")) {
        hollow(into, file, header(listing, file));
      } else if (file.path().endsWith(".gguf")) {
        hollow(into, file, bytes(listing, file, 0, Math.min(GGUF_FRONT, file.sizeBytes())));
      }
    }
    return all;
  }

  private byte[] header(Listing listing, RemoteFile file) throws IOException, InterruptedException {
    long most = Math.min(LONGEST_HEADER, file.sizeBytes() - Long.BYTES);
    byte[] length = bytes(listing, file, 0, Math.min(Long.BYTES, file.sizeBytes()));
    long count =
        length.length < Long.BYTES
            ? -1
            : ByteBuffer.wrap(length).order(ByteOrder.LITTLE_ENDIAN).getLong();
    if (count < 0 || count > most) {
      throw HubException.lasting(
          "%s of %s has no header that can be true; it is damaged on the hub"
              .formatted(file.path(), listing.repo()));
    }
    return bytes(listing, file, 0, Long.BYTES + count);
  }

  private static void hollow(Path into, RemoteFile file, byte[] front) throws IOException {
    String name = file.path().substring(file.path().lastIndexOf('/') + 1);
    try (RandomAccessFile to = new RandomAccessFile(into.resolve(name).toFile(), "rw")) {
      to.setLength(file.sizeBytes());
      to.write(front);
    }
  }

  private byte[] bytes(Listing listing, RemoteFile file, long from, long count)
      throws IOException, InterruptedException {
    if (count == 0) {
      return new byte[0];
    }
    URI address = api.content(listing, file);
    boolean all = from == 0 && count == file.sizeBytes();
    Map<String, String> headers =
        all ? Map.of() : Map.of("Range", "bytes=%d-%d".formatted(from, from + count - 1));
    return retrying.call(
        address,
        () -> {
          try (HubHttp.Reply reply = http.get(address, headers)) {
            if (reply.status() != 200 && reply.status() != 206) {
              throw HttpErrors.of(reply, listing.repo(), file.path(), http);
            }
            InputStream body = reply.body();
            if (reply.status() == 200) {
              body.skipNBytes(from); // from a server that knows no ranges
            }
            byte[] read = retrying.read(body, Math.toIntExact(count), LONGEST);
            if (read.length < count) {
              throw HubException.passing(
                  "the connection ended %d bytes early".formatted(count - read.length), null);
            }
            return read;
          }
        });
  }
}
