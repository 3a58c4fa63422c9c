package dev.semantic.mlx.models.hub;

import dev.semantic.io.PrivateFiles;
import dev.semantic.mlx.files.OnceDirectory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The directory in which Hugging Face's tools keep repositories, and we with them: {@code
 * models--org--name} holds {@code blobs} by checksum, {@code snapshots} by commit, whose files are
 * links to blobs, and {@code refs}, which say which commit a branch or tag was.
 *
 * @param root absolute; need not exist yet
 */
public record HubCache(Path root) {
  private static final String PREFIX = "models--";
  private static final String SEPARATOR = "--";
  private static final String WORK = ".semantic-";
  private static final Set<OpenOption> ANEW =
      Set.of(
          StandardOpenOption.CREATE,
          StandardOpenOption.WRITE,
          StandardOpenOption.TRUNCATE_EXISTING);

  public HubCache {
    root = root.toAbsolutePath().normalize();
  }

  /**
   * A commit of a repository as it lies here, perhaps not whole.
   *
   * @param refs branches and tags that are this commit, as far as is known here
   */
  public record Snapshot(String id, String commit, List<String> refs, Path directory) {
    public Snapshot {
      refs = List.copyOf(refs);
    }

    /** The name to ask for it by. */
    public String name() {
      if (refs.contains(HubRepo.MAIN)) {
        return id;
      }
      return id + "@" + (refs.isEmpty() ? commit : refs.getFirst());
    }
  }

  /** Where a repository lies. */
  public Path repository(String id) {
    return root.resolve(PREFIX + id.replace("/", SEPARATOR));
  }

  Path blobs(String id) {
    return repository(id).resolve("blobs");
  }

  Path snapshots(HubRepo repo) {
    return repository(repo.id()).resolve("snapshots");
  }

  Path snapshot(String id, String commit) {
    return repository(id).resolve("snapshots").resolve(commit);
  }

  /** The file that whoever changes a repository holds; makes its directory. */
  public Path lock(String id) throws IOException {
    Path locks = root.resolve(".locks").resolve(repository(id).getFileName());
    return PrivateFiles.readableDirectory(locks).resolve("semantic.lock");
  }

  /** What a revision was when it was last asked for; empty if it never was. */
  public Optional<Path> find(HubRepo repo) {
    Optional<String> commit =
        repo.isPinned() ? Optional.of(repo.revision()) : ref(repo.id(), repo.revision());
    return commit.map(known -> snapshot(repo.id(), known)).filter(Files::isDirectory);
  }

  private Optional<String> ref(String id, String revision) {
    return read(reference(id, revision));
  }

  /** The file that says which commit a branch or tag was. */
  public Path reference(HubRepo repo) {
    return reference(repo.id(), repo.revision());
  }

  private Path reference(String id, String revision) {
    return repository(id).resolve("refs").resolve(revision);
  }

  private static Optional<String> read(Path ref) {
    try {
      return Files.isRegularFile(ref) && Files.size(ref) < 100
          ? Optional.of(Files.readString(ref).strip()).filter(HubRepo::isCommit)
          : Optional.empty();
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /**
   * All snapshots of all repositories, by name. A directory that is no repository's is passed by.
   */
  public List<Snapshot> snapshots() {
    List<Snapshot> found = new ArrayList<>();
    for (Path repository : children(root)) {
      String name = repository.getFileName().toString();
      String id = name.replaceFirst("^" + PREFIX, "").replace(SEPARATOR, "/");
      if (name.startsWith(PREFIX) && HubRepo.parse(id).isPresent()) {
        found.addAll(snapshots(id));
      }
    }
    found.sort(Comparator.comparing(Snapshot::name));
    return List.copyOf(found);
  }

  /** The snapshots of one repository. */
  public List<Snapshot> snapshots(String id) {
    Path refs = repository(id).resolve("refs");
    List<Snapshot> found = new ArrayList<>();
    for (Path snapshot : children(repository(id).resolve("snapshots"))) {
      String commit = snapshot.getFileName().toString();
      if (HubRepo.isCommit(commit) && Files.isDirectory(snapshot)) {
        List<String> names =
            walk(refs).stream()
                .filter(ref -> read(ref).filter(commit::equals).isPresent())
                .map(ref -> refs.relativize(ref).toString())
                .toList();
        found.add(new Snapshot(id, commit, names, snapshot));
      }
    }
    return found;
  }

  private static List<Path> children(Path directory) {
    try (Stream<Path> entries = Files.list(directory)) {
      return entries.sorted().toList();
    } catch (IOException e) {
      return List.of(); // absent, or not ours to read: nothing there that we could use
    }
  }

  private static List<Path> walk(Path directory) {
    try (Stream<Path> entries = Files.walk(directory, 4)) {
      return entries.filter(Files::isRegularFile).sorted().toList();
    } catch (IOException e) {
      return List.of();
    }
  }

  /** What is there, the directory itself and those that lie in it, too; links are not followed. */
  private static List<Path> entries(Path directory) throws IOException {
    try (Stream<Path> entries = Files.walk(directory, 4)) {
      return entries.filter(Files::exists).sorted().toList();
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  /**
   * Makes a snapshot of blobs that are all here, whole at once where there was none, and notes its
   * revision.
   */
  Path publish(Listing listing, List<RemoteFile> files) throws IOException {
    String id = listing.repo().id();
    Path snapshot = snapshot(id, listing.commit());
    OnceDirectory.sweep(repository(id), WORK);
    if (Files.isDirectory(snapshot)) {
      requireInside(snapshot);
      link(id, files, snapshot); // others began it; each link appears at once
    } else {
      Path work = Files.createTempDirectory(repository(id), WORK);
      try {
        // As deep as it will lie, so that the links are right in both places.
        Path directory = Files.createDirectory(work.resolve(listing.commit()));
        link(id, files, directory);
        PrivateFiles.readableDirectory(snapshot.resolveSibling(""));
        Files.move(directory, snapshot, StandardCopyOption.ATOMIC_MOVE);
      } finally {
        OnceDirectory.delete(work);
      }
    }
    if (!listing.repo().isPinned()) {
      Path ref = reference(listing.repo());
      PrivateFiles.readableDirectory(ref.resolveSibling(""));
      replace(ref, listing.commit());
    }
    return snapshot;
  }

  /**
   * Puts a file with this text in {@code file}'s place, for others to read; never where a link
   * leads that somebody else has put there. In a repository that is held: what a killed process
   * left beside it is written over.
   */
  static void replace(Path file, String text) throws IOException {
    Path beside = file.resolveSibling(file.getFileName() + ".new");
    try (FileChannel channel = PrivateFiles.openReadable(beside, ANEW)) {
      for (ByteBuffer left = StandardCharsets.UTF_8.encode(text); left.hasRemaining(); ) {
        channel.write(left);
      }
      channel.force(true); // before it has the name: else a loss of power leaves it empty
      Files.move(beside, file, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(beside); // on a full disk it is there, and empty
    }
  }

  private void link(String id, List<RemoteFile> files, Path directory) throws IOException {
    for (RemoteFile file : files) {
      Path link = directory.resolve(file.path());
      Path blob = blobs(id).resolve(file.etag());
      if (Files.exists(link)) {
        continue;
      }
      PrivateFiles.readableDirectory(link.resolveSibling(""));
      Files.deleteIfExists(link); // one that leads to a blob that is gone
      Path target =
          Path.of("../".repeat(2 + file.path().split("/", -1).length - 1))
              .resolve("blobs")
              .resolve(file.etag());
      try {
        Files.createSymbolicLink(link, target);
      } catch (UnsupportedOperationException e) {
        Files.createLink(link, blob);
      }
    }
  }

  /**
   * Makes sure that a snapshot's files lie in this cache: a link may lead out of it.
   *
   * @throws IOException that names the first that leads elsewhere
   */
  public void requireInside(Path snapshot) throws IOException {
    Path repository = root.resolve(root.relativize(snapshot).getName(0)).toRealPath();
    Path cache = root.toRealPath();
    for (Path file : entries(snapshot)) {
      Path real = file.toRealPath();
      if (!real.startsWith(cache) && !real.startsWith(repository)) {
        throw HubException.lasting(
            "%s is a link to %s, which is outside of the cache; it is not read"
                .formatted(file, real));
      }
    }
  }

  /**
   * Deletes a snapshot, what names it, and the blobs that no other one has.
   *
   * @return bytes that were freed
   */
  public long remove(Snapshot snapshot) throws IOException {
    Path repository = requireOurs(snapshot.id());
    List<Snapshot> others = new ArrayList<>(snapshots(snapshot.id()));
    others.removeIf(other -> other.commit().equals(snapshot.commit()));
    if (others.isEmpty()) {
      return removeAll(snapshot.id());
    }
    Set<Path> kept = new HashSet<>();
    for (Snapshot other : others) {
      kept.addAll(targets(other));
    }
    long bytes = 0;
    for (Path blob : targets(snapshot)) {
      boolean ours = blob.startsWith(blobs(snapshot.id()).toRealPath());
      if (ours && !kept.contains(blob)) {
        bytes += Files.size(blob);
        Files.delete(blob);
      }
    }
    for (String ref : snapshot.refs()) {
      Files.deleteIfExists(repository.resolve("refs").resolve(ref));
    }
    OnceDirectory.delete(snapshot.directory());
    return bytes;
  }

  /**
   * Deletes a repository with all that is here of it, whole or not.
   *
   * @return bytes that were freed
   */
  public long removeAll(String id) throws IOException {
    Path repository = requireOurs(id);
    long bytes = sizeOf(repository);
    OnceDirectory.delete(repository);
    return bytes;
  }

  private Path requireOurs(String id) throws HubException {
    Path repository = repository(id);
    if (Files.isSymbolicLink(repository)) {
      throw HubException.lasting(repository + " is a link; delete what it leads to yourself");
    }
    return repository;
  }

  /** The blobs that a snapshot's files are, all of them: what is overlooked here is deleted. */
  private static Set<Path> targets(Snapshot snapshot) throws IOException {
    Set<Path> targets = new HashSet<>();
    try (Stream<Path> files = Files.walk(snapshot.directory())) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        targets.add(file.toRealPath());
      }
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    return targets;
  }

  private static long sizeOf(Path tree) throws IOException {
    long bytes = 0;
    try (Stream<Path> files = Files.walk(tree)) {
      for (Path file :
          files.filter(f -> Files.isRegularFile(f, LinkOption.NOFOLLOW_LINKS)).toList()) {
        bytes += Files.size(file);
      }
    }
    return bytes;
  }
}
