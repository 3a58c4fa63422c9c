package dev.semantic.store.disk;

import java.io.IOException;
import java.net.URI;
import java.nio.channels.FileChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.AccessMode;
import java.nio.file.CopyOption;
import java.nio.file.DirectoryStream;
import java.nio.file.FileStore;
import java.nio.file.FileSystem;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.FileAttributeView;
import java.nio.file.spi.FileSystemProvider;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The real file system with a {@link Fault} in front of every operation, for code that knows
 * nothing but {@link Path}. Operations are counted and remembered.
 */
public final class FaultyDisk extends FileSystemProvider {
  private final FileSystemProvider real;
  private final FaultyFileSystem fileSystem;
  private final List<String> operations = new ArrayList<>();
  private final Lasting lasting = new Lasting();
  private Fault fault = Fault.NONE;

  private FaultyDisk(FileSystem realSystem) {
    this.real = realSystem.provider();
    this.fileSystem = new FaultyFileSystem(this, realSystem);
  }

  /** A disk on the default file system. */
  public static FaultyDisk create() {
    return new FaultyDisk(java.nio.file.FileSystems.getDefault());
  }

  /** A path as seen through this disk. */
  public Path path(Path path) {
    return new FaultyPath(fileSystem, path);
  }

  /** From now on, counting anew. */
  public synchronized void inject(Fault next) {
    operations.clear();
    fault = next;
  }

  /** What was attempted since the last {@link #inject}. */
  public synchronized List<String> operations() {
    return List.copyOf(operations);
  }

  /**
   * Makes {@code target}, outside of this disk, what {@code root} would be if the power failed now:
   * what was forced is there.
   *
   * @param luck decides what of the rest is there, too; null: nothing
   */
  public void losePower(Path root, Path target, @Nullable Random luck) throws IOException {
    lasting.survive(root, target, luck);
  }

  /** A file or directory was forced. */
  void forced(Path path) throws IOException {
    lasting.forced(path);
  }

  void before(String operation, Path path) throws IOException {
    Fault now;
    int count;
    String what = operation + " " + path.getFileName();
    synchronized (this) {
      operations.add(what);
      count = operations.size();
      now = fault;
    }
    now.before(count, what);
  }

  @Override
  public FileChannel newFileChannel(
      Path path, Set<? extends OpenOption> options, FileAttribute<?>... attributes)
      throws IOException {
    before("open", path);
    Path file = FaultyPath.real(path);
    boolean there = Files.exists(file);
    FileChannel channel = real.newFileChannel(file, options, attributes);
    if (!there) {
      lasting.created(file, false);
    }
    return new FaultyChannel(this, file, channel);
  }

  @Override
  public SeekableByteChannel newByteChannel(
      Path path, Set<? extends OpenOption> options, FileAttribute<?>... attributes)
      throws IOException {
    return newFileChannel(path, options, attributes);
  }

  @Override
  public DirectoryStream<Path> newDirectoryStream(
      Path directory, DirectoryStream.Filter<? super Path> filter) throws IOException {
    before("list", directory);
    List<Path> accepted = new ArrayList<>();
    try (DirectoryStream<Path> found =
        real.newDirectoryStream(FaultyPath.real(directory), path -> true)) {
      for (Path each : found) {
        if (filter.accept(path(each))) {
          accepted.add(path(each));
        }
      }
    }
    return new DirectoryStream<>() {
      @Override
      public Iterator<Path> iterator() {
        return accepted.iterator();
      }

      @Override
      public void close() {}
    };
  }

  @Override
  public void createDirectory(Path directory, FileAttribute<?>... attributes) throws IOException {
    before("create", directory);
    real.createDirectory(FaultyPath.real(directory), attributes);
    lasting.created(FaultyPath.real(directory), true);
  }

  @Override
  public void delete(Path path) throws IOException {
    before("delete", path);
    real.delete(FaultyPath.real(path));
    lasting.deleted(FaultyPath.real(path));
  }

  @Override
  public void createLink(Path link, Path existing) throws IOException {
    before("link", link);
    real.createLink(FaultyPath.real(link), FaultyPath.real(existing));
  }

  @Override
  public void copy(Path source, Path target, CopyOption... options) throws IOException {
    before("copy", source);
    real.copy(FaultyPath.real(source), FaultyPath.real(target), options);
  }

  @Override
  public void move(Path source, Path target, CopyOption... options) throws IOException {
    before("move", source);
    real.move(FaultyPath.real(source), FaultyPath.real(target), options);
    lasting.moved(FaultyPath.real(source), FaultyPath.real(target));
  }

  @Override
  public boolean isSameFile(Path one, Path other) throws IOException {
    return real.isSameFile(FaultyPath.real(one), FaultyPath.real(other));
  }

  @Override
  public boolean isHidden(Path path) throws IOException {
    return real.isHidden(FaultyPath.real(path));
  }

  @Override
  public FileStore getFileStore(Path path) throws IOException {
    return real.getFileStore(FaultyPath.real(path));
  }

  @Override
  public void checkAccess(Path path, AccessMode... modes) throws IOException {
    before("look at", path);
    real.checkAccess(FaultyPath.real(path), modes);
  }

  @Override
  public <V extends FileAttributeView> @Nullable V getFileAttributeView(
      Path path, Class<V> type, LinkOption... options) {
    return real.getFileAttributeView(FaultyPath.real(path), type, options);
  }

  @Override
  public <A extends BasicFileAttributes> A readAttributes(
      Path path, Class<A> type, LinkOption... options) throws IOException {
    before("look at", path);
    return real.readAttributes(FaultyPath.real(path), type, options);
  }

  @Override
  public Map<String, Object> readAttributes(Path path, String attributes, LinkOption... options)
      throws IOException {
    before("look at", path);
    return real.readAttributes(FaultyPath.real(path), attributes, options);
  }

  @Override
  public void setAttribute(Path path, String attribute, Object value, LinkOption... options)
      throws IOException {
    before("change", path);
    real.setAttribute(FaultyPath.real(path), attribute, value, options);
  }

  @Override
  public String getScheme() {
    return "faulty";
  }

  @Override
  public FileSystem newFileSystem(URI uri, Map<String, ?> environment) {
    throw new UnsupportedOperationException();
  }

  @Override
  public FileSystem getFileSystem(URI uri) {
    return fileSystem;
  }

  @Override
  public Path getPath(URI uri) {
    throw new UnsupportedOperationException();
  }
}
