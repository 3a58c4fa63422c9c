package dev.semantic.examples.cli;

import dev.semantic.model.ModelException;
import dev.semantic.model.ModelSpec;
import java.util.Arrays;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Tokens as they are typed: {@code 1,2,3}. Whether a model has them is found out later. */
record TokenList(String... tokens) {
  private static final Pattern NUMBER = Pattern.compile("[+-]?\\d{1,100}");

  /**
   * The ids.
   *
   * @throws ModelException if the model's vocabulary lacks one
   */
  int[] of(ModelSpec spec) {
    return Arrays.stream(tokens).mapToInt(token -> checked(token, spec)).toArray();
  }

  private static int checked(String token, ModelSpec spec) {
    java.math.BigInteger id = new java.math.BigInteger(token);
    if (id.signum() < 0 || id.bitLength() > 31 || id.intValue() >= spec.vocabularySize()) {
      throw new ModelException(
          ModelException.Kind.INVALID,
          "Token %s is outside the vocabulary of %s, 0 to %d"
              .formatted(token, spec.id(), spec.vocabularySize() - 1));
    }
    return id.intValue();
  }

  static String toString(int[] tokens) {
    return Arrays.stream(tokens).mapToObj(Integer::toString).collect(Collectors.joining(","));
  }

  /** Reads the list. */
  static final class Converter implements ITypeConverter<TokenList> {
    @Override
    public TokenList convert(String text) {
      String[] tokens = text.strip().split("\\s*,\\s*", -1);
      for (String token : tokens) {
        if (!NUMBER.matcher(token).matches()) {
          throw new TypeConversionException(
              "'%s' is not a list of tokens; write for example 1,2,3".formatted(text));
        }
      }
      return new TokenList(tokens);
    }
  }
}
