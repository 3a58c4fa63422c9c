package dev.semantic.generate;

import java.util.Objects;

/** A part of what a message says. */
public sealed interface ContentPart {
  /** What a person calls it: {@code text}, {@code image}, {@code audio}. */
  String kind();

  /** Words. */
  record Text(String text) implements ContentPart {
    public Text {
      Objects.requireNonNull(text, "text must not be null");
    }

    @Override
    public String kind() {
      return "text";
    }
  }

  /**
   * A picture.
   *
   * @param url where it lies, or a {@code data:} URL that holds it
   */
  record Image(String url) implements ContentPart {
    public Image {
      Objects.requireNonNull(url, "url must not be null");
    }

    @Override
    public String kind() {
      return "image";
    }
  }

  /**
   * A sound.
   *
   * @param url where it lies, or a {@code data:} URL that holds it
   */
  record Audio(String url) implements ContentPart {
    public Audio {
      Objects.requireNonNull(url, "url must not be null");
    }

    @Override
    public String kind() {
      return "audio";
    }
  }
}
