package dev.semantic.mlx.tokenizer;

import dev.semantic.model.ModelException;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Who may speak in a conversation: those that every template's author knows, and those that a
 * model's own templates name. Many templates leave a message out, or take it for another's, whose
 * role they don't know.
 */
final class Roles {
  private static final Set<String> USUAL =
      Set.of("assistant", "developer", "function", "system", "tool", "user");

  /** Of what is no message. */
  private static final String NONE = "\0";

  private final Collection<String> templates;

  Roles(Collection<String> templates) {
    this.templates = templates;
  }

  /**
   * What is no message is the template's to refuse.
   *
   * @param messages as a template has them
   * @return a text for each; blank for what has none
   */
  static List<String> of(@Nullable Object messages) {
    return messages instanceof List<?> list
        ? list.stream()
            .map(
                each ->
                    each instanceof Map<?, ?> message && message.get("role") instanceof String role
                        ? role
                        : NONE)
            .toList()
        : List.of();
  }

  /**
   * @throws ModelException naming the message and the role that is not known
   */
  void require(List<String> all) {
    for (int i = 0; i < all.size(); i++) {
      String role = all.get(i);
      if (!role.equals(NONE) && !isKnown(role)) {
        throw new ModelException(
            ModelException.Kind.INVALID,
            "Message %d has the role '%s'; known are %s, and those that the chat template names"
                .formatted(i + 1, role, String.join(", ", new TreeSet<>(USUAL))));
      }
    }
  }

  boolean isKnown(String role) {
    return USUAL.contains(role) || (!role.isBlank() && isNamed(role));
  }

  private boolean isNamed(String role) {
    return templates.stream()
        .anyMatch(text -> text.contains("'" + role + "'") || text.contains('"' + role + '"'));
  }
}
