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
    return switch (failure) {
      case AccessDeniedException denied when denied.getReason() == null ->
          "no permission to use " + denied.getFile();
      case NoSuchFileException missing when missing.getReason() == null ->
          "there is no " + missing.getFile();
      case FileSystemException other when other.getReason() == null ->
          "cannot use %s (%s)".formatted(other.getFile(), other.getClass().getSimpleName());
      case FileSystemException other -> "cannot use " + other.getMessage();
      case CharacterCodingException _ -> "it is not UTF-8";
      case CharConversionException _ -> "it is not UTF-8";
      default ->
          failure.getMessage() == null
              ? failure.getClass().getSimpleName()
              : String.valueOf(failure.getMessage());
    };
  }
}
