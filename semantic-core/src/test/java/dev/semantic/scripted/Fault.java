package dev.semantic.scripted;

import dev.semantic.model.ModelException;
import dev.semantic.store.CacheException;
import java.io.IOException;

/** How a port call can fail. */
public enum Fault {
  /** As the port says it may. */
  DECLARED {
    @Override
    Throwable of(PortCall call) {
      String message = "scripted: " + call + " failed";
      return call.name().startsWith("STORE")
          ? new CacheException(message)
          : new ModelException(ModelException.Kind.FAILED, message);
    }
  },
  UNCHECKED {
    @Override
    Throwable of(PortCall call) {
      return new IllegalStateException("scripted: " + call + " has a bug");
    }
  },
  /** A checked exception that no signature tells of, as other JVM languages throw them. */
  SNEAKY {
    @Override
    Throwable of(PortCall call) {
      return new IOException("scripted: " + call + " lost its disk");
    }
  },
  ERROR {
    @Override
    Throwable of(PortCall call) {
      return new AssertionError("scripted: " + call + " found the impossible");
    }
  },
  OUT_OF_MEMORY {
    @Override
    Throwable of(PortCall call) {
      return new OutOfMemoryError("scripted: " + call);
    }
  },
  /** Fails as a file channel does: the thread's interrupt is set, and stays so. */
  INTERRUPT {
    @Override
    Throwable of(PortCall call) {
      Thread.currentThread().interrupt();
      return new ModelException(
          ModelException.Kind.FAILED, "scripted: " + call + " was interrupted");
    }
  };

  abstract Throwable of(PortCall call);
}
