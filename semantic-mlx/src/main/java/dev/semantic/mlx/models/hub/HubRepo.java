package dev.semantic.mlx.models.hub;

import java.util.Arrays;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a name like {@code org/name@revision:choice} asks a hub for.
 *
 * @param id {@code org/name}
 * @param revision a branch, tag or commit; {@code main} where none is named
 * @param choice which of several GGUF files: a part of its name; empty for none
 */
public record HubRepo(String id, String revision, String choice) {
  /** Where no revision is named. */
  public static final String MAIN = "main";

  private static final String NAME = "[A-Za-z0-9_][A-Za-z0-9._-]{0,95}";
  private static final Pattern FORM =
      Pattern.compile(
          "(%s/%s)(?:@([\\w./-]{1,200}))?(?::([\\w./-]{1,200}))?".formatted(NAME, NAME));
  private static final int LONGEST_PATH = 1000;
  private static final Pattern COMMIT = Pattern.compile("[0-9a-f]{40}");

  /** Reads such a name; empty if it has not this form, like a path or a file's name. */
  public static Optional<HubRepo> parse(String text) {
    Matcher form = FORM.matcher(text);
    if (!form.matches()) {
      return Optional.empty();
    }
    String id = form.group(1);
    String revision = Optional.ofNullable(form.group(2)).orElse(MAIN);
    String choice = Optional.ofNullable(form.group(3)).orElse("");
    boolean odd =
        id.contains("--")
            || id.matches(".*\\.(gguf|safetensors|json)")
            || !isPlain(id)
            || !isPlain(revision)
            || !(choice.isEmpty() || isPlain(choice));
    return odd ? Optional.empty() : Optional.of(new HubRepo(id, revision, choice));
  }

  /** Whether a path with slashes stays below where it begins, and is written in one way only. */
  static boolean isPlain(String path) {
    return !path.isEmpty()
        && path.length() <= LONGEST_PATH
        && path.chars().noneMatch(c -> Character.isISOControl(c) || c == '\\' || c == ':')
        && Arrays.stream(path.split("/", -1))
            .noneMatch(part -> part.isEmpty() || part.equals(".") || part.equals(".."));
  }

  /** Whether the revision is a commit, which never changes. */
  public boolean isPinned() {
    return isCommit(revision);
  }

  static boolean isCommit(String text) {
    return COMMIT.matcher(text).matches();
  }

  @Override
  public String toString() {
    return id
        + (revision.equals(MAIN) ? "" : "@" + revision)
        + (choice.isEmpty() ? "" : ":" + choice);
  }
}
