package dev.semantic.mlx;

import dev.semantic.mlx.array.MlxSession;
import dev.semantic.mlx.array.Scope;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What a runtime has prepared, loads or has loaded, and nobody has closed yet. Any thread. */
final class OpenModels implements AutoCloseable {
  private final MlxSession session;
  private final Map<Object, Runnable> closers = new LinkedHashMap<>();
  private boolean closed;

  OpenModels(MlxSession session) {
    this.session = session;
  }

  /** A model's weights. */
  void add(Scope scope) {
    add(scope, () -> session.owner().run(scope::close));
  }

  void add(MlxPreparedModel prepared) {
    add(prepared, prepared::close);
  }

  private synchronized void add(Object what, Runnable closer) {
    requireOpen();
    closers.put(what, closer);
  }

  /** It was closed. */
  synchronized void remove(Object what) {
    closers.remove(what);
  }

  synchronized void requireOpen() {
    if (closed) {
      throw new IllegalStateException("This runtime was closed; open another one");
    }
  }

  /** Closes everything, the latest first; whoever still refers to it is told so. */
  @Override
  public void close() {
    List<Runnable> left;
    synchronized (this) {
      closed = true;
      left = new ArrayList<>(closers.values()).reversed();
      closers.clear();
    }
    left.forEach(Runnable::run);
  }
}
