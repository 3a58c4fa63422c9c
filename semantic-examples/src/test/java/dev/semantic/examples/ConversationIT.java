package dev.semantic.examples;

import static dev.semantic.examples.testing.Project.GEMMA;
import static dev.semantic.examples.testing.Project.SMOL;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.semantic.examples.testing.RequiresModels;
import dev.semantic.examples.testing.Run;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code chat}, spoken to through a pipe. */
@RequiresModels
class ConversationIT {
  private static final Pattern ANSWERED =
      Pattern.compile("\\[(\\d+) prompt tokens, (\\d+) of them remembered; (\\d+) said");

  @TempDir private Path directory = Path.of("");

  private Program chat(int maxTokens, String... more) throws IOException {
    List<String> words = new ArrayList<>(List.of("chat", SMOL, "--cache-dir", "caches"));
    words.addAll(List.of("--max-tokens", Integer.toString(maxTokens)));
    words.addAll(List.of(more));
    return Program.start(directory, Map.of(), words);
  }

  private static Program say(Program program, String lines) throws IOException {
    program.process().getOutputStream().write(lines.getBytes(StandardCharsets.UTF_8));
    program.process().getOutputStream().flush();
    return program;
  }

  private static List<Integer> remembered(Run run) {
    List<Integer> tokens = new ArrayList<>();
    Matcher answers = ANSWERED.matcher(run.err());
    while (answers.find()) {
      tokens.add(Integer.parseInt(answers.group(2)));
    }
    return tokens;
  }

  @Test
  void anAgentRemembersAcrossSwapsAndProcesses() throws Exception {
    String lines =
        """
        /help
        My boat is called Nele.
        /swap %s
        The sea is
        /swap nosuch
        /dance
        /agents
        /swap %s
        What is my boat called?
        /status
        """
            .formatted(GEMMA, SMOL);
    Run first = say(chat(12), lines).end();
    assertEquals(0, first.code(), first::toString);
    List<Integer> remembered = remembered(first);
    assertEquals(3, remembered.size(), first::toString);
    assertEquals(0, remembered.get(0));
    assertTrue(remembered.get(2) > 30, "the cache did not come back: " + remembered);
    for (String words :
        List.of(
            "/swap MODEL",
            "[make before break",
            "[loading]",
            GEMMA + " serves, after",
            GEMMA + " has no chat template",
            "There is no model nosuch",
            "There is no /dance",
            "tokens parked for " + SMOL,
            SMOL + " serves; 0 requests under way")) {
      assertTrue(first.err().contains(words), () -> words + " is not in " + first.err());
    }
    assertFalse(first.out().contains("["), first.out());

    Run second = say(chat(12), "And who am I?\n/quit\nnot read\n").end();
    assertEquals(0, second.code(), second::toString);
    assertTrue(second.err().contains("me remembers 6 messages"), second.err());
    assertEquals(1, remembered(second).size());
    assertTrue(remembered(second).getFirst() > remembered.get(2), second.err());

    Run another = say(chat(12, "--agent", "Ada", "--isolated"), "Hello!\n").end();
    assertEquals(0, another.code(), another::toString);
    assertEquals(List.of(0), remembered(another));
    assertFalse(another.err().contains("remembers"), another.err());
  }

  @Test
  void aModelThatIsAskedNothingLeavesAndReturnsWithWhatTheAgentKnows() throws Exception {
    Program talk = say(chat(4, "--keep-alive", "1s"), "/pin\nMy boat is called Nele.\n");
    talk.awaitSaying("said");
    for (int asked = 0; !talk.hasSaid("No model serves"); asked++) {
      assertTrue(asked < 240, "it stays");
      say(talk, "/status\n");
      Thread.sleep(500); // whether it has left is only told to those who ask
    }
    Run run = say(talk, "What is it called?\n/unpin\n").end();
    assertEquals(0, run.code(), run::toString);
    assertTrue(run.err().contains("me stays in memory"), run.err());
    assertTrue(run.err().contains("me leaves memory like others"), run.err());
    assertTrue(remembered(run).getLast() > 20, run.err());
  }

  @Test
  void whoeverEndsTheProcessFindsTheConversationAgain() throws Exception {
    Program ended = say(chat(400), "Hello!\nCount from one to a thousand.\n");
    ended.awaitSaying("said");
    ended.process().toHandle().destroy(); // as Ctrl-C: in the middle of the second answer
    // Nobody waits for the answer to come to its end.
    assertEquals(143, ended.process().waitFor());

    Run next = say(chat(12), "Hello again!\n").end();
    assertTrue(next.err().matches("(?s).*me remembers [24] messages.*"), next.err());
    assertTrue(remembered(next).getFirst() > 20, next.err());
  }
}
