package dev.semantic.mlx.models;

import java.util.Locale;

/** Where a model of the catalogue comes from. */
public enum ModelSource {
  /** One of the models that the catalogue knows by itself. */
  KNOWN,
  /** A file or directory that lies among them. */
  OWN,
  /** The hub's cache, whoever has put it there. */
  HUB,
  /** A directory that was added. */
  ADDED;

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
