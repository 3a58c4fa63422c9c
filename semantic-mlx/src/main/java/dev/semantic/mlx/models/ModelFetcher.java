package dev.semantic.mlx.models;

import dev.semantic.io.DurableFiles;
import dev.semantic.io.PathLock;
import dev.semantic.io.Reason;
import dev.semantic.mlx.files.OnceDirectory;
import dev.semantic.mlx.files.Sha256;
import dev.semantic.mlx.models.hub.EnvironmentProxies;
import dev.semantic.mlx.models.hub.HubCache;
import dev.semantic.mlx.models.hub.HubFetch;
import dev.semantic.mlx.models.hub.HubRepo;
import dev.semantic.mlx.models.hub.RetryPolicy;
import dev.semantic.model.ModelException;
import dev.semantic.model.ModelId;
import java.io.IOException;
import java.net.ProxySelector;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings models here. A known one comes from its own origin, is verified, and only then given its
 * name. Any other comes from the hub, into the cache that the hub's own tools use. What has come is
 * kept until the model is whole, so an interrupted fetch goes on where it was. Safe for several
 * threads and processes: one fetches, the others wait and find it done.
 */
public final class ModelFetcher {
  private static final Logger LOG = LoggerFactory.getLogger(ModelFetcher.class);

  /** For what nobody counts. */
  private static final long SPARE_BYTES = 64L << 20;

  private final ModelCatalog catalog;
  private final RetryPolicy retryPolicy;

  ModelFetcher(ModelCatalog catalog, RetryPolicy retryPolicy) {
    this.catalog = catalog;
    this.retryPolicy = retryPolicy;
  }

  /** A fetcher into the catalogue's cache. */
  public ModelFetcher(ModelCatalog catalog) {
    this(catalog, RetryPolicy.USUAL);
  }

  /** A fetcher into the user's cache. */
  public static ModelFetcher ofUser() {
    return new ModelFetcher(ModelCatalog.ofUser());
  }

  /**
   * Makes sure that a model is here, and asks no network if it is.
   *
   * @return its file or directory
   * @throws ModelException if it cannot be had
   * @throws CancellationException if {@code progress} says so, or the thread is interrupted
   */
  public Path fetchIfMissing(ModelId id, FetchProgress progress) {
    try {
      return catalog.resolve(id);
    } catch (ModelException absent) {
      boolean fetchable = catalog.find(id.name()).isPresent() || repository(id).isPresent();
      if (!fetchable) {
        throw absent;
      }
      return fetch(id, progress);
    }
  }

  /**
   * Makes sure that a model is here as it is now: a known one, or a hub's at what its revision
   * stands for today.
   *
   * @param id a known name, or {@code org/name[@revision][:file.gguf]}
   * @return its file or directory
   * @throws ModelException if it cannot be had: no such repository, no right to it, no network, no
   *     space, a wrong checksum
   * @throws CancellationException if {@code progress} says so, or the thread is interrupted
   */
  public Path fetch(ModelId id, FetchProgress progress) {
    Optional<KnownModel> known = catalog.find(id.name());
    if (known.isPresent()) {
      return fetch(known.get(), progress);
    }
    HubRepo repo =
        repository(id)
            .orElseThrow(
                () ->
                    new ModelException(
                        ModelException.Kind.NOT_FOUND,
                        "Cannot fetch %s: the catalogue has no model of that name, and a hub's goes by org/name"
                            .formatted(id)));
    return fetch(id, repo, catalog.hub().orElseThrow(), progress);
  }

  private Optional<HubRepo> repository(ModelId id) {
    return catalog.hub().isPresent() ? HubRepo.parse(id.name()) : Optional.empty();
  }

  private Path fetch(ModelId id, HubRepo repo, HubSettings hub, FetchProgress progress) {
    if (hub.offline()) {
      try {
        return catalog.resolve(id);
      } catch (ModelException absent) {
        throw new ModelException(
            ModelException.Kind.FETCH_FAILED,
            "Cannot fetch %s: HF_HUB_OFFLINE is set. %s".formatted(id, absent.getMessage()),
            absent);
      }
    }
    from(hub, id, fetch -> fetch.fetch(repo, new ProgressAggregator(progress)));
    return catalog.resolve(id);
  }

  /**
   * What a hub's model is, from the headers of its files, which are asked for each time; nothing of
   * it stays. So it can be known what a model takes before it is fetched.
   *
   * @return empty for what does not come from a hub, and while the hub may not be asked
   * @throws ModelException if the hub has no such model, or does not give it
   * @throws CancellationException if the thread is interrupted
   */
  public Optional<RemoteModelHeaders> headers(ModelId id) {
    Optional<HubRepo> repo = repository(id);
    if (catalog.find(id.name()).isPresent()
        || repo.isEmpty()
        || catalog.hub().orElseThrow().offline()) {
      return Optional.empty();
    }
    Path into = null;
    long bytes = -1;
    try {
      Path fresh =
          RemoteModelHeaders.place(DurableFiles.createPrivate(catalog.cache().downloads()));
      into = fresh;
      ProgressAggregator silent = new ProgressAggregator(FetchProgress.NONE);
      bytes = from(catalog.hub().orElseThrow(), id, hub -> hub.outline(repo.get(), fresh, silent));
      return Optional.of(new RemoteModelHeaders(fresh, bytes));
    } catch (IOException e) {
      throw new ModelException(
          ModelException.Kind.FAILED, "Cannot look at %s: %s".formatted(id, Reason.of(e)), e);
    } finally {
      if (into != null && bytes < 0) {
        new RemoteModelHeaders(into, 0).close();
      }
    }
  }

  @FunctionalInterface
  private interface Errand<T> {
    T run(HubFetch hub) throws IOException, InterruptedException;
  }

  private <T> T from(HubSettings hub, ModelId id, Errand<T> errand) {
    ProxySelector proxies = new EnvironmentProxies(System.getenv(), ProxySelector.getDefault());
    HubFetch fetch =
        new HubFetch(hub.endpoint(), hub.token(), new HubCache(hub.cache()), proxies, retryPolicy);
    try {
      return errand.run(fetch);
    } catch (IOException e) {
      throw new ModelException(
          ModelException.Kind.FETCH_FAILED,
          "Cannot fetch %s from %s: %s".formatted(id, hub.endpoint(), Reason.of(e)),
          e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      CancellationException cancelled = new CancellationException("Interrupted, fetching " + id);
      cancelled.initCause(e);
      throw cancelled;
    }
  }

  /**
   * Makes sure that the model is here.
   *
   * @return its file
   * @throws ModelException if it cannot be had: no network, a wrong checksum, no space
   */
  public Path fetch(KnownModel model, FetchProgress progress) {
    if (catalog.state(model) == ModelState.READY) {
      return catalog.path(model);
    }
    UserCache cache = catalog.cache();
    try {
      DurableFiles.createPrivate(cache.models());
      DurableFiles.createPrivate(cache.downloads());
      Path file = catalog.path(model);
      try (PathLock _ = PathLock.acquire(file.resolveSibling(file.getFileName() + ".lock"))) {
        if (catalog.state(model) != ModelState.READY && !VerifiedMarker.renew(file, model)) {
          bring(model, file, progress);
        }
      }
      return file;
    } catch (IOException e) {
      throw new ModelException(
          ModelException.Kind.FETCH_FAILED,
          "Cannot fetch %s into %s: %s".formatted(model.name(), cache.root(), Reason.of(e)),
          e);
    }
  }

  private void requireSpace(long bytes) throws IOException {
    Path root = catalog.cache().root();
    long free = Files.getFileStore(root).getUsableSpace();
    if (free < bytes) {
      throw new IOException(
          "it needs "
              + bytes
              + " bytes and the disk has "
              + free
              + " free. Make room, or name another directory by the environment variable"
              + " SEMANTIC_HOME");
    }
  }

  private void bring(KnownModel model, Path file, FetchProgress progress) throws IOException {
    Path downloads = catalog.downloads(model);
    long missing = model.origin().missingBytes(downloads);
    requireSpace(missing + model.sizeBytes() + SPARE_BYTES);
    LOG.info("Fetching {}: {} bytes", model.name(), missing);
    DurableFiles.createPrivate(downloads);
    Path part = file.resolveSibling(file.getFileName() + ".part");
    try {
      model.origin().fetch(part, downloads, progress);
      String found = Sha256.of(part);
      if (!found.equals(model.sha256())) {
        OnceDirectory.delete(downloads);
        throw new IOException(
            ("the file that came has SHA-256 %s, expected %s. What was downloaded has been deleted;"
                    + " fetch again")
                .formatted(found, model.sha256()));
      }
      DurableFiles.forceFile(part);
      Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(part);
    }
    VerifiedMarker.write(file, model);
    OnceDirectory.delete(downloads);
    LOG.info("{} is ready: {}", model.name(), file);
  }
}
