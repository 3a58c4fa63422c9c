package dev.semantic.formats;

import dev.semantic.log.Log;
import dev.semantic.spi.AnswerFormat;
import java.util.List;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.stream.Stream;

/** The formats that there are, and which of them is a model's. */
public final class AnswerFormats {
  private static final Log LOG = Log.of(AnswerFormats.class);

  private static final AnswerFormat IN_WORDS = new Hermes();

  /** Those whose marks are rarest come first. */
  private static final List<AnswerFormat> KNOWN =
      List.of(
          new Harmony(),
          new Gemma4(),
          new Mistral(),
          new DeepSeek(),
          new Granite(),
          new Glm(),
          new QwenCoder(),
          IN_WORDS,
          new Llama3());

  private AnswerFormats() {}

  /**
   * A model's format. One whose template knows no tools has them explained as {@link Hermes} writes
   * them.
   *
   * @param template the source of its chat templates
   */
  public static AnswerFormat of(String template) {
    return of(template, others());
  }

  static AnswerFormat of(String template, List<AnswerFormat> others) {
    return Stream.concat(others.stream(), KNOWN.stream())
        .filter(format -> matches(format, template))
        .findFirst()
        .orElse(IN_WORDS);
  }

  /** A host's own that fails is not the model's: it must not keep a model from serving. */
  private static boolean matches(AnswerFormat format, String template) {
    try {
      return format.matches(template);
    } catch (RuntimeException e) {
      LOG.warn("A format of answers cannot tell whether it is a model's, and is not used", e);
      return false;
    }
  }

  /** A model is served also where the host's own formats cannot be had. */
  private static List<AnswerFormat> others() {
    try {
      return ServiceLoader.load(AnswerFormat.class, AnswerFormats.class.getClassLoader()).stream()
          .map(ServiceLoader.Provider::get)
          .toList();
    } catch (ServiceConfigurationError e) {
      LOG.warn("Formats of answers that the host provides cannot be used", e);
      return List.of();
    }
  }
}
