package dev.semantic.io;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.EOFException;
import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import org.junit.jupiter.api.Test;

class ReasonTest {
  @Test
  void whatJavaLeavesOutIsSaid() {
    assertEquals("no permission to use /a", Reason.of(new AccessDeniedException("/a")));
    assertEquals(
        "cannot use /a: others may; chmod it",
        Reason.of(new AccessDeniedException("/a", null, "others may; chmod it")));
    assertEquals("there is no /a", Reason.of(new NoSuchFileException("/a")));
    assertEquals("cannot use /a: full", Reason.of(new FileSystemException("/a", null, "full")));
    assertEquals(
        "cannot use /a (FileAlreadyExistsException)",
        Reason.of(new FileAlreadyExistsException("/a")));
    assertEquals("it is not UTF-8", Reason.of(new MalformedInputException(3)));
    assertEquals("no more", Reason.of(new IOException("no more")));
    assertEquals("EOFException", Reason.of(new EOFException()));
  }
}
