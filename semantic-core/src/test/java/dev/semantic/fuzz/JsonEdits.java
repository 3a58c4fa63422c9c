package dev.semantic.fuzz;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamWriteConstraints;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;

/** Changes a tree of JSON values into another that is still JSON. */
public final class JsonEdits {
  private static final int MOST_DEPTH = 1100;
  public static final ObjectMapper JSON =
      new ObjectMapper(
          JsonFactory.builder()
              .streamWriteConstraints(
                  StreamWriteConstraints.builder().maxNestingDepth(2 * MOST_DEPTH).build())
              .build());
  private static final JsonNodeFactory MAKE = JsonNodeFactory.instance;

  private JsonEdits() {}

  /** A copy in which one to three things are otherwise. */
  public static JsonNode edited(JsonNode good, Recipe recipe) {
    ArrayNode root = MAKE.arrayNode().add(good.<JsonNode>deepCopy());
    int edits = 1 + recipe.below(3);
    for (int i = 0; i < edits && recipe.goesOn(); i++) {
      edit(root, recipe);
    }
    return root.isEmpty() ? MAKE.nullNode() : root.get(0);
  }

  /** A way down from the root, a step at a time; stops somewhere. */
  private static void edit(ArrayNode root, Recipe recipe) {
    JsonNode parent = root;
    while (true) {
      List<String> names = new ArrayList<>();
      parent.fieldNames().forEachRemaining(names::add);
      int children = parent.size();
      int at = recipe.below(children);
      String name = names.isEmpty() ? "" : names.get(at);
      JsonNode child = names.isEmpty() ? parent.get(at) : parent.get(name);
      boolean deeper = child != null && child.isContainerNode() && !child.isEmpty();
      if (children == 0 || !deeper || recipe.sometimes(6)) {
        change(parent, name, at, child, recipe);
        return;
      }
      parent = child;
    }
  }

  private static void change(JsonNode parent, String name, int at, JsonNode child, Recipe recipe) {
    int how = recipe.below(10);
    JsonNode other = value(child, recipe);
    switch (parent) {
      case ObjectNode object when how == 0 -> object.remove(name);
      case ObjectNode object when how == 1 -> object.set(recipe.text(), other);
      case ObjectNode object -> object.set(name, other);
      case ArrayNode array when array.isEmpty() || how == 1 -> array.add(other);
      case ArrayNode array when how == 0 -> array.remove(at);
      case ArrayNode array -> array.set(at, other);
      default -> {}
    }
  }

  private static JsonNode value(JsonNode now, Recipe recipe) {
    boolean sameKind = recipe.below(3) > 0;
    if (sameKind && now != null && now.isNumber()) {
      return MAKE.numberNode(recipe.number(now.asLong()));
    }
    if (sameKind && now != null && now.isTextual()) {
      return bent(now, recipe);
    }
    return switch (recipe.below(9)) {
      case 0 -> MAKE.nullNode();
      case 1 -> MAKE.booleanNode(recipe.below(2) == 0);
      case 2 -> MAKE.textNode(recipe.text());
      case 3 -> MAKE.arrayNode();
      case 4 -> MAKE.objectNode();
      case 5 -> nested(recipe);
      case 6 -> bent(now, recipe);
      case 7 -> MAKE.numberNode(new BigDecimal(recipe.below(2) == 0 ? "1e308" : "-0.5"));
      default -> MAKE.numberNode(recipe.number(recipe.below(100)));
    };
  }

  private static JsonNode bent(JsonNode now, Recipe recipe) {
    if (now == null || !now.isTextual() || now.asText().isEmpty()) {
      return MAKE.arrayNode().add(now);
    }
    StringBuilder text = new StringBuilder(now.asText());
    int at = recipe.below(text.length());
    switch (recipe.below(4)) {
      case 0 -> text.setCharAt(at, (char) (' ' + recipe.below(95)));
      case 1 -> text.deleteCharAt(at);
      case 2 -> text.insert(at, recipe.text());
      default -> text.append(text);
    }
    return MAKE.textNode(text.toString());
  }

  private static JsonNode nested(Recipe recipe) {
    JsonNode nested = MAKE.numberNode(1);
    for (int i = recipe.below(MOST_DEPTH); i > 0; i--) {
      nested = MAKE.arrayNode().add(nested);
    }
    return nested;
  }
}
