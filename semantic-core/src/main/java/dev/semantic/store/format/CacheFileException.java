package dev.semantic.store.format;

import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** A cache file that was read well but cannot be used; the message says expected, found, offset. */
public final class CacheFileException extends IOException {
  private static final long serialVersionUID = 1L;

  /** What is wrong with it, which decides what becomes of it. */
  public enum Kind {
    /** Bytes are missing or other than they were written. */
    DAMAGED,
    /** Whole, but another agent's or another model's. */
    MISPLACED,
    /** Written in a form that is no longer read. */
    TOO_OLD,
    /** Written by a later release. */
    TOO_NEW,
    /** Encrypted, and there is no key or another; or not encrypted where it should be. */
    LOCKED,
    /** Older than caches are to become. */
    EXPIRED
  }

  private final Kind kind;
  private transient @Nullable Path block;

  public CacheFileException(Kind kind, String message) {
    super(message);
    this.kind = kind;
  }

  public Kind kind() {
    return kind;
  }

  /** The same, of a block that the file refers to. */
  CacheFileException inBlock(Path block) {
    CacheFileException here =
        new CacheFileException(
            kind, "its block %s: %s".formatted(block.getFileName(), getMessage()));
    here.block = block;
    return here;
  }

  /** The block that is to blame; null if it is the file itself. */
  @Nullable
  public Path block() {
    return block;
  }

  public static CacheFileException damaged(String message) {
    return new CacheFileException(Kind.DAMAGED, message);
  }

  static CacheFileException checksum(String what, int expected, int found) {
    return damaged("%s should have checksum %08x, it has %08x".formatted(what, expected, found));
  }

  /** The checksum holds, so these are the bytes that were written. */
  static CacheFileException writtenWrong(String message) {
    return damaged(message + " (the checksum holds: it was written like this)");
  }
}
