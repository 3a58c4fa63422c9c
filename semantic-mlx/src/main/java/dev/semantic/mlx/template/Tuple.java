package dev.semantic.mlx.template;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A list that is written with round brackets and equals no list. */
class Tuple extends ArrayList<@Nullable Object> {
  private static final long serialVersionUID = 1L;

  Tuple(List<?> items) {
    super(items);
  }
}
