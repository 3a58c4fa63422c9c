package dev.semantic.examples.cli;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The command line's words as they were typed. In a locale without UTF-8 (a bare container, a cron
 * job) Java has already replaced what it could not read; Linux still has the bytes.
 */
final class Arguments {
  private static final Path COMMAND_LINE = Path.of("/proc/self/cmdline");

  private Arguments() {}

  static String[] asTyped(String[] arguments) {
    if ("UTF-8".equalsIgnoreCase(System.getProperty("sun.jnu.encoding"))) {
      return arguments;
    }
    try {
      return restore(arguments, Files.readAllBytes(COMMAND_LINE));
    } catch (IOException e) {
      return arguments; // not Linux: there is nothing better than what Java understood
    }
  }

  /**
   * The last words of {@code commandLine}, each of which ends with a zero byte.
   *
   * @return {@code arguments} themselves where the bytes tell another story or are not UTF-8
   */
  static String[] restore(String[] arguments, byte[] commandLine) {
    List<String> words = new ArrayList<>();
    int start = 0;
    try {
      for (int i = 0; i < commandLine.length; i++) {
        if (commandLine[i] == 0) {
          ByteBuffer word = ByteBuffer.wrap(commandLine, start, i - start);
          words.add(StandardCharsets.UTF_8.newDecoder().decode(word).toString());
          start = i + 1;
        }
      }
    } catch (CharacterCodingException e) {
      return arguments;
    }
    int first = words.size() - arguments.length;
    if (first < 0) {
      return arguments;
    }
    String[] typed = words.subList(first, words.size()).toArray(String[]::new);
    for (int i = 0; i < typed.length; i++) {
      boolean plain = arguments[i].chars().allMatch(c -> c < 128);
      if (plain && !arguments[i].equals(typed[i])) {
        return arguments;
      }
    }
    return typed;
  }
}
