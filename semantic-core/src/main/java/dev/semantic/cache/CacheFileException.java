package dev.semantic.cache;

import java.io.IOException;

/** A cache file that was read well but cannot be used; the message says expected, found, offset. */
final class CacheFileException extends IOException {
  private static final long serialVersionUID = 1L;

  /** What is wrong with it, which decides what becomes of it. */
  enum Kind {
    /** Bytes are missing or other than they were written. */
    DAMAGED,
    /** Whole, but another agent's or another model's. */
    MISPLACED,
    /** Written in a form that is no longer read. */
    TOO_OLD,
    /** Written by a later release. */
    TOO_NEW
  }

  private final Kind kind;

  CacheFileException(Kind kind, String message) {
    super(message);
    this.kind = kind;
  }

  Kind kind() {
    return kind;
  }

  static CacheFileException damaged(String message) {
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
