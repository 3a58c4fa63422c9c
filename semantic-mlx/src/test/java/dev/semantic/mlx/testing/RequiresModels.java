package dev.semantic.mlx.testing;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * For tests that read the catalogue's real models. Skipped without them as {@link RequiresNatives}
 * is; {@code ModelCatalog.ofUser().resolve(...)} gives the paths.
 */
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith({WhatIsHere.class, HandlesBack.class})
public @interface RequiresModels {}
