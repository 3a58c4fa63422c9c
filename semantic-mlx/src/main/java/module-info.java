/** The MLX backend of semantic: the only module that touches native memory. */
@SuppressWarnings("requires-automatic")
module dev.semantic.mlx {
  requires transitive dev.semantic.core;
  requires transitive org.jspecify;
  requires ai.djl.tokenizers;
  requires ai.djl.api;
  requires com.fasterxml.jackson.databind;
  requires com.fasterxml.jackson.dataformat.cbor;
  requires com.github.benmanes.caffeine;
  requires java.net.http;
  requires jdk.management;
  requires jdk.net;
  requires org.slf4j;

  exports dev.semantic.mlx;
  exports dev.semantic.mlx.architecture;
  exports dev.semantic.mlx.convert;
  exports dev.semantic.mlx.isolated;
  exports dev.semantic.mlx.models;
  exports dev.semantic.mlx.template;

  uses dev.semantic.mlx.architecture.Architecture;

  opens dev.semantic.mlx.isolated to
      com.fasterxml.jackson.databind;
}
