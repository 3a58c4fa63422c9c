package dev.semantic.mlx.testing;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * For tests that need MLX itself. Without natives they are skipped, with one loud line; where
 * {@code CI=true} they run all the same, and fail with the reason. A test that leaves native arrays
 * behind fails too.
 */
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith({WhatIsHere.class, HandlesBack.class})
public @interface RequiresNatives {}
