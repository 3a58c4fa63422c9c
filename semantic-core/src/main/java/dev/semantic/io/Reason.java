package dev.semantic.io;

import java.io.CharConversionException;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;

/** Why a file could not be used: the exceptions of java.nio often say which, and not why. */
public final class Reason {
  private Reason() {}

  /** In words, as the end of a sentence. */
  public static String of(IOException failure) {
    if (failure instanceof FileSystemException file) {
      return of(file);
    }
    if (failure instanceof CharacterCodingException || failure instanceof CharConversionException) {
      return "it is not UTF-8";
    }
    return failure.getMessage() == null
        ? failure.getClass().getSimpleName()
        : String.valueOf(failure.getMessage());
  }

  private static String of(FileSystemException failure) {
    if (failure.getReason() != null) {
      return "cannot use " + failure.getMessage();
    }
    if (failure instanceof AccessDeniedException) {
      return "no permission to use " + failure.getFile();
    }
    if (failure instanceof NoSuchFileException) {
      return "there is no " + failure.getFile();
    }
    return "cannot use %s (%s)".formatted(failure.getFile(), failure.getClass().getSimpleName());
  }
}
