package dev.semantic.mlx.models.hub;

import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.net.URI;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * One file on its way into its blob. The hub is asked once where the content lies; its ranges are
 * then fetched there, until that place, whose address is signed for a while only, refuses.
 */
final class Transfer {
  private static final int BUFFER = 1 << 16;
  private static final Pattern RANGE = Pattern.compile("bytes (\\d{1,18})-\\d+/(\\d{1,18}|\\*)");

  private final HubHttp http;
  private final Listing listing;
  private final PartialBlob blob;
  private final URI address;
  private final Retrying retrying;
  private final DownloadListener listener;
  private volatile @Nullable URI storage;

  Transfer(
      HubHttp http,
      Listing listing,
      PartialBlob blob,
      URI address,
      Retrying retrying,
      DownloadListener listener) {
    this.http = http;
    this.listing = listing;
    this.blob = blob;
    this.address = address;
    this.retrying = retrying;
    this.listener = listener;
  }

  PartialBlob blob() {
    return blob;
  }

  /** Fetches what is missing of one range, or of the whole file where there are no ranges. */
  void fetch(int range) throws IOException, InterruptedException {
    if (blob.missing(range) == 0) {
      return;
    }
    retrying.call(
        address,
        blob::done,
        () -> {
          attempt(range);
          return range;
        });
    if (blob.ranges() > 1) {
      blob.note();
    }
  }

  private void attempt(int range) throws IOException, InterruptedException {
    if (blob.isStreamedBeside(range)) {
      return;
    }
    RemoteFile file = blob.file();
    long from = blob.start(range) + blob.done(range);
    long last = blob.start(range) + blob.length(range) - 1;
    boolean all = from == 0 && last == file.sizeBytes() - 1;
    Map<String, String> headers = new HashMap<>();
    if (!all) {
      headers.put("Range", "bytes=%d-%d".formatted(from, last));
    }
    URI known = storage;
    try (HubHttp.Reply reply = http.get(known == null ? address : known, headers)) {
      verify(reply, known == null);
      switch (reply.status()) {
        case 200 -> takeAll(reply, range);
        case 206 -> takeRange(reply, range, from);
        case 416 -> {
          blob.discard();
          throw HubException.lasting(
              "%s is shorter than the %d bytes that the hub lists (416); fetch again"
                  .formatted(file.path(), file.sizeBytes()));
        }
        default -> {
          storage = null; // perhaps a signature that has run out: ask the hub again
          throw HttpErrors.of(reply, listing.repo(), file.path(), http);
        }
      }
    }
  }

  /** What the hub itself says of the file must be what it has listed. */
  private void verify(HubHttp.Reply reply, boolean fromHub) throws HubException {
    if (reply.status() >= 300 || !fromHub) {
      return;
    }
    if (!http.isHub(reply.from())) {
      storage = reply.from();
    }
    expect(reply, "X-Linked-Size", Long.toString(blob.file().sizeBytes()));
    expect(reply, "X-Linked-Etag", blob.file().etag());
    expect(reply, "X-Repo-Commit", listing.commit());
  }

  private void expect(HubHttp.Reply reply, String header, String expected) throws HubException {
    Optional<String> said =
        reply.hub().firstValue(header).map(text -> text.replaceFirst("^W/", "").replace("\"", ""));
    if (said.isPresent() && !said.get().equals(expected)) {
      throw HubException.lasting(
          "the hub lists %s with %s %s and serves it with %s"
              .formatted(blob.file().path(), header, expected, said.get()));
    }
  }

  private void takeRange(HubHttp.Reply reply, int range, long from) throws IOException {
    RemoteFile file = blob.file();
    Matcher sent = RANGE.matcher(reply.header("Content-Range").orElse(""));
    boolean right =
        sent.matches()
            && Long.parseLong(sent.group(1)) == from
            && (sent.group(2).equals("*") || Long.parseLong(sent.group(2)) == file.sizeBytes());
    if (!right) {
      throw HubException.lasting(
          "%s sends another range than was asked for: %s, expected %d of %d"
              .formatted(
                  HubHttp.shown(reply.from()),
                  reply.header("Content-Range").orElse("none"),
                  from,
                  file.sizeBytes()));
    }
    copy(reply.body(), range, from, blob.missing(range), false);
  }

  /** The whole file: asked for so, or from a server that does not know ranges. */
  private void takeAll(HubHttp.Reply reply, int range) throws IOException {
    RemoteFile file = blob.file();
    long length = reply.length().orElse(file.sizeBytes());
    if (length != file.sizeBytes()) {
      throw HubException.lasting(
          "%s sends %d bytes, and the hub lists %d"
              .formatted(HubHttp.shown(reply.from()), length, file.sizeBytes()));
    }
    if (!blob.claimStream(range)) {
      return;
    }
    listener.moved(-blob.done());
    blob.streamedTo(0);
    copy(reply.body(), range, 0, file.sizeBytes(), true);
  }

  private void copy(InputStream body, int range, long from, long count, boolean stream)
      throws IOException {
    byte[] buffer = new byte[BUFFER];
    try (RandomAccessFile to = openAt(from)) {
      for (long left = count; left > 0; ) {
        int n = body.read(buffer, 0, (int) Math.min(buffer.length, left));
        if (n < 0) {
          throw HubException.passing("the connection ended %d bytes early".formatted(left), null);
        }
        write(to, buffer, n);
        left -= n;
        if (stream) {
          blob.streamedTo(count - left);
        } else {
          blob.advance(range, n);
        }
        listener.moved(n);
        if (listener.isCancelled()) {
          throw HubException.lasting("called off");
        }
      }
    }
  }

  private RandomAccessFile openAt(long offset) throws IOException {
    try {
      RandomAccessFile file = blob.open();
      file.seek(offset);
      return file;
    } catch (IOException e) {
      throw cannotWrite(e);
    }
  }

  private void write(RandomAccessFile to, byte[] buffer, int count) throws IOException {
    try {
      to.write(buffer, 0, count);
    } catch (IOException e) {
      throw cannotWrite(e);
    }
  }

  private HubException cannotWrite(IOException e) {
    return HubException.lasting(
        "%s cannot be written (%s); is there room on the disk?"
            .formatted(blob.part(), HttpErrors.message(e)),
        e);
  }
}
