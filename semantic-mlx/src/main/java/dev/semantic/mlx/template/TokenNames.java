package dev.semantic.mlx.template;

import java.util.HashSet;
import java.util.Set;

/**
 * Which of a macro's special names its body uses: only what is used may be given.
 *
 * @param kwargs further arguments by name
 * @param varargs further arguments by place
 */
record TokenNames(boolean caller, boolean kwargs, boolean varargs) {
  Set<String> names() {
    Set<String> names = new HashSet<>();
    if (caller) {
      names.add("caller");
    }
    if (kwargs) {
      names.add("kwargs");
    }
    if (varargs) {
      names.add("varargs");
    }
    return names;
  }
}
