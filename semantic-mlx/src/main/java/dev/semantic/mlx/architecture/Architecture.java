package dev.semantic.mlx.architecture;

import dev.semantic.model.ModelException;
import java.util.ArrayList;
import java.util.List;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * A family of models: reads one model's configuration and says which layers it is made of. A host
 * adds its own as a {@link ServiceLoader service}; where it names a type that is known here, the
 * host's is taken.
 */
public interface Architecture {
  /** What {@code model_type} in {@code config.json} may be. */
  Set<String> modelTypes();

  /**
   * Describes a model.
   *
   * @param config the whole of {@code config.json}
   * @throws ModelException if it lacks something, or describes what cannot be; see {@link
   *     ModelConfig}
   */
  ModelDescription decoder(ModelConfig config);

  /**
   * The family of a model.
   *
   * @throws ModelException if nobody knows its type; the message lists the known ones
   */
  static Architecture of(ModelConfig config) {
    String type = config.text("model_type");
    return all()
        .filter(each -> each.modelTypes().contains(type))
        .findFirst()
        .orElseThrow(
            () ->
                config.unsupported(
                    "model_type is '%s'; known are %s. Others are added by a service of type %s"
                        .formatted(
                            type, String.join(", ", knownTypes()), Architecture.class.getName())));
  }

  /** Every {@code model_type} that can be loaded, the host's own included. */
  static SortedSet<String> knownTypes() {
    SortedSet<String> types = new TreeSet<>();
    all().forEach(each -> types.addAll(each.modelTypes()));
    return types;
  }

  private static Stream<Architecture> all() {
    List<Architecture> added = new ArrayList<>();
    try {
      ServiceLoader.load(Architecture.class).forEach(added::add);
    } catch (ServiceConfigurationError e) {
      throw new ModelException(
          ModelException.Kind.UNSUPPORTED,
          "An architecture that was added cannot be used: %s".formatted(e.getMessage()),
          e);
    }
    return Stream.concat(added.stream(), BuiltIn.ALL.stream());
  }

  /** Adding an architecture takes its file and a line here. */
  final class BuiltIn {
    private static final List<Architecture> ALL =
        List.of(
            new Gemma2(),
            new Gemma3(),
            new Gemma3Text(),
            new Llama(),
            new Phi3(),
            new Qwen2(),
            new Qwen3());

    private BuiltIn() {}
  }
}
