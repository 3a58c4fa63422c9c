package dev.semantic.examples.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.semantic.examples.terminal.PlainText;
import dev.semantic.examples.terminal.Terminal;
import java.io.IOException;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** A command that finds something out; printing it is done here. */
abstract class Subcommand implements java.util.concurrent.Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();

  abstract Answer answer() throws IOException;

  @Override
  public Integer call() throws IOException {
    Answer answer = answer();
    if (json()) {
      terminal().out().println(toJson(answer));
    } else {
      String text = answer.text().get();
      if (!text.isEmpty()) {
        terminal().out().println(text.stripTrailing());
      }
    }
    return 0;
  }

  private static String toJson(Answer answer) throws JsonProcessingException {
    return PlainText.ofJson(new ObjectMapper().writeValueAsString(answer.json()));
  }

  /** However deep this command lies below it. */
  private SemanticCommand root() {
    return (SemanticCommand) spec.root().userObject();
  }

  final Terminal terminal() {
    return root().terminal();
  }

  final boolean json() {
    return root().json();
  }

  /** An error in how the command was called. */
  final ParameterException misuse(String message) {
    return new ParameterException(spec.commandLine(), message);
  }
}
