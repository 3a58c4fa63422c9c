package dev.semantic.mlx.testing;

import dev.semantic.mlx.MlxException;
import dev.semantic.mlx.capi.natives.NativeLibrary;
import dev.semantic.mlx.models.ModelCatalog;
import dev.semantic.model.ModelException;
import dev.semantic.model.ModelId;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.platform.commons.support.AnnotationSupport;

/** Decides whether a test that needs natives or models can run; asks the code that loads them. */
final class WhatIsHere implements ExecutionCondition {
  private static final Set<String> SAID = ConcurrentHashMap.newKeySet();

  @Override
  public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
    Optional<String> missing =
        needs(context, RequiresNatives.class) ? missingNatives() : Optional.empty();
    if (missing.isEmpty() && needs(context, RequiresModels.class)) {
      missing = missingModels();
    }
    if (missing.isEmpty() && needs(context, RequiresGrammar.class)) {
      missing = missingGrammar();
    }
    if (missing.isEmpty()) {
      return ConditionEvaluationResult.enabled("all is here");
    }
    if ("true".equals(System.getenv("CI"))) {
      return ConditionEvaluationResult.enabled("CI skips nothing; it will fail: " + missing.get());
    }
    if (SAID.add(missing.get())) {
      System.out.println("!!!!! TESTS ARE SKIPPED !!!!! " + missing.get());
    }
    return ConditionEvaluationResult.disabled(missing.get());
  }

  private static boolean needs(
      ExtensionContext context, Class<? extends java.lang.annotation.Annotation> what) {
    return context.getElement().filter(e -> AnnotationSupport.isAnnotated(e, what)).isPresent();
  }

  private static Optional<String> missingNatives() {
    try {
      NativeLibrary.locate();
      return Optional.empty();
    } catch (MlxException e) {
      return Optional.of(e.getMessage());
    }
  }

  private static Optional<String> missingGrammar() {
    try {
      NativeLibrary.loadGrammar();
      return Optional.empty();
    } catch (MlxException e) {
      return Optional.ofNullable(e.getMessage());
    }
  }

  private static Optional<String> missingModels() {
    for (String name : List.of("smollm2-135m-instruct", "gemma-3-270m")) {
      try {
        ModelCatalog.ofUser().resolve(new ModelId(name));
      } catch (ModelException e) {
        return Optional.ofNullable(e.getMessage());
      }
    }
    return Optional.empty();
  }
}
