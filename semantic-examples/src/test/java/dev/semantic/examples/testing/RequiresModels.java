package dev.semantic.examples.testing;

import dev.semantic.mlx.Mlx;
import dev.semantic.mlx.MlxException;
import dev.semantic.mlx.models.ModelCatalog;
import dev.semantic.mlx.models.ModelState;
import dev.semantic.pip.PipModels;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * For tests that need MLX and the catalogue's models. Without them they are skipped, with one loud
 * line; where {@code CI=true} they run all the same, and fail with the reason.
 */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(RequiresModels.Condition.class)
public @interface RequiresModels {
  /** Asks the code that loads them. */
  final class Condition implements ExecutionCondition {
    private static final AtomicBoolean SAID = new AtomicBoolean();

    @Override
    public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
      Optional<String> missing = missingNatives().or(Condition::missingModel);
      if (missing.isEmpty() || "true".equals(System.getenv("CI"))) {
        return ConditionEvaluationResult.enabled(missing.orElse("all is here"));
      }
      if (SAID.compareAndSet(false, true)) {
        System.out.println("!!!!! TESTS ARE SKIPPED !!!!! " + missing.get());
      }
      return ConditionEvaluationResult.disabled(missing.get());
    }

    private static Optional<String> missingNatives() {
      try (Mlx mlx = Mlx.open()) {
        return mlx.version().isEmpty() ? Optional.of("MLX has no version") : Optional.empty();
      } catch (MlxException e) {
        return Optional.ofNullable(e.getMessage());
      }
    }

    private static Optional<String> missingModel() {
      ModelCatalog catalog = PipModels.catalog();
      return catalog.models().stream()
          .filter(model -> catalog.state(model) != ModelState.READY)
          .map(model -> "Model " + model.name() + " is " + catalog.state(model) + " here")
          .findFirst();
    }
  }
}
