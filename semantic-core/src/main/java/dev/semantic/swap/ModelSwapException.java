package dev.semantic.swap;

import dev.semantic.model.ModelSpec;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The target does not serve. Checked, because a host must decide what to do without it; {@link
 * #serving()} says which model answers in the meantime.
 */
public final class ModelSwapException extends Exception {
  private static final long serialVersionUID = 1L;

  private final SwapPhase phase;
  private final transient @Nullable ModelSpec serving;
  private final transient SwapReport report;

  /** Made by the registry. */
  public ModelSwapException(
      String message,
      @Nullable Throwable cause,
      SwapPhase phase,
      @Nullable ModelSpec serving,
      SwapReport report) {
    super(message, cause);
    this.phase = phase;
    this.serving = serving;
    this.report = report;
  }

  /** Where it failed. */
  public SwapPhase phase() {
    return phase;
  }

  /** The model that serves now; empty if none does. */
  public Optional<ModelSpec> serving() {
    return Optional.ofNullable(serving);
  }

  /** How far it came and what it took. */
  public SwapReport report() {
    return report;
  }
}
