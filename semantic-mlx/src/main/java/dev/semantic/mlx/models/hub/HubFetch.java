package dev.semantic.mlx.models.hub;

import dev.semantic.io.PathLock;
import dev.semantic.io.PrivateFiles;
import java.io.IOException;
import java.net.ProxySelector;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings a repository's model from a hub into the hub's cache: asks what there is, chooses what a
 * model needs, sees whether there is room, fetches what is missing in parallel ranges, compares it
 * with its checksums, and only then lets it appear. What a broken fetch has brought is kept for the
 * next one. Of several threads and processes one fetches, the others wait and find it done.
 */
public final class HubFetch {
  private static final Logger LOG = LoggerFactory.getLogger(HubFetch.class);
  private static final int CONNECTIONS = 8;

  /** For what is not counted: directories, links, notes. */
  private static final long SPARE_BYTES = 64L << 20;

  private final URI endpoint;
  private final Optional<String> token;
  private final HubCache cache;
  private final ProxySelector proxies;
  private final RetryPolicy retryPolicy;

  /**
   * A way to one hub.
   *
   * @param token goes to {@code endpoint} and nowhere else
   */
  public HubFetch(
      URI endpoint,
      Optional<String> token,
      HubCache cache,
      ProxySelector proxies,
      RetryPolicy retryPolicy) {
    this.endpoint = endpoint;
    this.token = token;
    this.cache = cache;
    this.proxies = proxies;
    this.retryPolicy = retryPolicy;
  }

  /**
   * Makes sure that a model is here, as its revision is now.
   *
   * @return its snapshot
   * @throws IOException that says what was refused, by whom, and what to do
   * @throws java.util.concurrent.CancellationException if {@code meter} says so
   */
  public Path fetch(HubRepo repo, DownloadListener listener)
      throws IOException, InterruptedException {
    requireToken();
    try (PathLock _ = PathLock.acquire(cache.lock(repo.id()))) {
      PrivateFiles.readableDirectory(cache.blobs(repo.id()));
      PrivateFiles.readableDirectory(
          cache.snapshots(repo)); // Python's tools miss it in half a fetch
      try (HubHttp http = new HubHttp(endpoint, token, proxies, retryPolicy.silence())) {
        return new Visit(http, new Retrying(retryPolicy, listener), listener).fetch(repo);
      } finally {
        sweepEmpty(repo); // while nobody else begins
      }
    }
  }

  /**
   * What stands at the front of a model's files, laid into a directory; nothing comes into the
   * cache.
   *
   * @param into an empty directory
   * @return bytes that {@link #fetch} would bring, were nothing of them here
   * @throws IOException as {@link #fetch} does
   */
  public long outline(HubRepo repo, Path into, DownloadListener listener)
      throws IOException, InterruptedException {
    requireToken();
    try (HubHttp http = new HubHttp(endpoint, token, proxies, retryPolicy.silence())) {
      return new HubOutline(http, new Retrying(retryPolicy, listener)).lay(repo, into);
    }
  }

  private void requireToken() throws HubException {
    if (!token.orElse("").chars().allMatch(c -> c > ' ' && c < 0x7f)) {
      throw HubException.lasting("the token has letters that no token has; look at HF_TOKEN");
    }
  }

  /** A repository that nothing came of leaves no trace. */
  private void sweepEmpty(HubRepo repo) {
    for (Path directory :
        List.of(cache.blobs(repo.id()), cache.snapshots(repo), cache.repository(repo.id()))) {
      try {
        Files.deleteIfExists(directory);
      } catch (IOException e) {
        return; // something is in it
      }
    }
  }

  /** One fetch. */
  private final class Visit {
    private final HubHttp http;
    private final HubApi api;
    private final Retrying retrying;
    private final DownloadListener listener;

    private Visit(HubHttp http, Retrying retrying, DownloadListener listener) {
      this.http = http;
      this.api = new HubApi(http, retrying);
      this.retrying = retrying;
      this.listener = listener;
    }

    private Path fetch(HubRepo repo) throws IOException, InterruptedException {
      Listing listing = api.list(repo);
      FileSelector selector = FileSelector.of(listing);
      if (selector.index().isPresent()) {
        RemoteFile index = selector.index().get();
        requireRoom(List.of(index), repo);
        download(listing, List.of(index));
        selector = selector.with(blob(repo, index));
      }
      List<RemoteFile> files = selector.files();
      List<RemoteFile> missing = missing(repo, files);
      listener.found(listing.commit(), files.size(), sum(files));
      listener.moved(sum(files) - sum(missing));
      LOG.info("Fetching {} at {}: {} files", repo, listing.commit(), missing.size());
      requireRoom(missing, repo);
      download(listing, missing);
      Path snapshot = cache.publish(listing, files);
      listener.published(snapshot);
      LOG.info("{} is ready: {}", repo, snapshot);
      return snapshot;
    }

    private void download(Listing listing, List<RemoteFile> files)
        throws IOException, InterruptedException {
      Path blobs = cache.blobs(listing.repo().id());
      List<Transfer> transfers = new ArrayList<>();
      for (RemoteFile file : missing(listing.repo(), files)) {
        PartialBlob blob = PartialBlob.of(file, blobs);
        listener.moved(blob.done());
        URI address = api.content(listing, file);
        transfers.add(new Transfer(http, listing, blob, address, retrying, listener));
      }
      new Downloads(transfers, blobs, listener).run(CONNECTIONS);
    }
  }

  private Path blob(HubRepo repo, RemoteFile file) {
    return cache.blobs(repo.id()).resolve(file.etag());
  }

  /** Those whose content is not here; of files that are alike, one. */
  private List<RemoteFile> missing(HubRepo repo, List<RemoteFile> files) throws IOException {
    List<RemoteFile> missing = new ArrayList<>();
    for (RemoteFile file : files) {
      Path blob = blob(repo, file);
      boolean here = Files.isRegularFile(blob) && Files.size(blob) == file.sizeBytes();
      here = here && VerifiedBlobs.holds(blob, file.etag()); // others may write here, too
      if (!here && missing.stream().noneMatch(other -> other.etag().equals(file.etag()))) {
        missing.add(file);
      }
    }
    return missing;
  }

  private static long sum(List<RemoteFile> files) {
    return files.stream().mapToLong(RemoteFile::sizeBytes).sum();
  }

  private void requireRoom(List<RemoteFile> missing, HubRepo repo) throws IOException {
    Path blobs = cache.blobs(repo.id());
    long here = 0;
    for (RemoteFile file : missing) {
      here += PartialBlob.of(file, blobs).done();
    }
    long needed = sum(missing) - here;
    long free = Files.getFileStore(blobs).getUsableSpace();
    if (needed > 0 && free - SPARE_BYTES < needed) {
      throw HubException.lasting(
          "it needs %d bytes more in %s, and %d to spare, and the disk has %d free. Make room, or name another directory by the environment variable HF_HUB_CACHE"
              .formatted(needed, cache.root(), SPARE_BYTES, free));
    }
  }
}
