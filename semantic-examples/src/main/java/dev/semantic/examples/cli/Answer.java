package dev.semantic.examples.cli;

import java.util.Map;
import java.util.function.Supplier;

/**
 * What a command has found out, in both forms it can be asked for.
 *
 * @param json the one object of {@code --json}, in the order of its fields
 * @param text for people; asked for only when it is shown, and empty if all has been said
 */
record Answer(Map<String, ?> json, Supplier<String> text) {}
