package dev.semantic.mlx.models;

import java.util.Optional;

/** Says whether a model would fit into memory; what it takes there is its backend's to know. */
@FunctionalInterface
public interface Fit {
  /** Knows of none. */
  Fit UNKNOWN = model -> Optional.empty();

  /** Whether it would fit; empty if that cannot be told. Does not throw. */
  Optional<Boolean> judge(AvailableModel model);
}
