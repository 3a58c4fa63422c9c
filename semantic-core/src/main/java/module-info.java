/** The swap, the engine and the caches of semantic: pure Java, no native call. */
@SuppressWarnings("module") // which is compiled later
module dev.semantic.core {
  requires transitive org.jspecify;
  requires com.fasterxml.jackson.databind;
  requires jdk.jfr;
  requires jdk.management;
  requires org.slf4j;

  uses dev.semantic.spi.AnswerFormat;

  exports dev.semantic.generate;
  exports dev.semantic.io to
      dev.semantic.mlx;
  exports dev.semantic.journal;
  exports dev.semantic.kv;
  exports dev.semantic.memory;
  exports dev.semantic.model;
  exports dev.semantic.registry;
  exports dev.semantic.spi;
  exports dev.semantic.store;
  exports dev.semantic.swap;
}
