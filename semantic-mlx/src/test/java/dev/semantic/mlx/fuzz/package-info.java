/** What models, hubs and isolated processes send us, as strangers would write it. */
@org.jspecify.annotations.NullMarked
package dev.semantic.mlx.fuzz;
