package dev.semantic.engine;

import dev.semantic.generate.GenerationRequest;
import dev.semantic.generate.RequestException;
import dev.semantic.model.ModelSpec;

/** Whether a model can answer a prompt: before anything is computed for it. */
final class PromptValidator {
  private PromptValidator() {}

  /**
   * The tokens of a request that is to be begun.
   *
   * @throws RequestException if this model can't answer it
   */
  static int[] validate(Request asked, ModelSpec spec) {
    GenerationRequest request = asked.request();
    if (request.model().isPresent() && !request.model().get().equals(spec.id())) {
      throw new RequestException(
          RequestException.Kind.WRONG_MODEL,
          "The request is meant for %s, but %s serves".formatted(request.model().get(), spec.id()));
    }
    int[] prompt = asked.prompt();
    if (prompt.length == 0) {
      throw new RequestException(
          RequestException.Kind.INVALID,
          "The prompt has no tokens; " + spec.id() + " needs at least one");
    }
    if (prompt.length >= spec.contextLength()) {
      throw new RequestException(
          RequestException.Kind.TOO_LONG,
          "The prompt has %d tokens; %s holds %d, and one of them must be left for the answer"
              .formatted(prompt.length, spec.id(), spec.contextLength()));
    }
    for (int token : prompt) {
      if (token < 0 || token >= spec.vocabularySize()) {
        throw new RequestException(
            RequestException.Kind.INVALID,
            "Token %d is not in the vocabulary of %s, 0 to %d"
                .formatted(token, spec.id(), spec.vocabularySize() - 1));
      }
    }
    for (int token : request.sampling().logitBias().keySet()) {
      if (token >= spec.vocabularySize()) {
        throw new RequestException(
            RequestException.Kind.INVALID,
            "Token %d, which is given a bias, is not in the vocabulary of %s, 0 to %d"
                .formatted(token, spec.id(), spec.vocabularySize() - 1));
      }
    }
    return prompt;
  }
}
