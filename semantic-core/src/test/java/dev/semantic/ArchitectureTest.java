package dev.semantic;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaAccess.Predicates.target;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.assignableTo;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.nameMatching;
import static com.tngtech.archunit.core.domain.properties.HasOwner.Predicates.With.owner;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noMethods;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import dev.semantic.generate.Prompt;
import dev.semantic.model.ModelException;
import dev.semantic.spi.Tokenizer;
import dev.semantic.timeline.Timeline;
import java.io.FileOutputStream;
import java.io.FileWriter;
import java.io.RandomAccessFile;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.util.List;
import java.util.Timer;
import java.util.concurrent.Executor;
import java.util.concurrent.ForkJoinTask;

/** What the core must not know, and which room may look into which. */
@AnalyzeClasses(packages = "dev.semantic", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
  @ArchTest
  static final ArchRule no_native_memory =
      noClasses().should().dependOnClassesThat().resideInAnyPackage("java.lang.foreign..");

  @ArchTest
  static final ArchRule no_native_methods = noMethods().should().haveModifier(JavaModifier.NATIVE);

  @ArchTest
  static final ArchRule no_native_libraries =
      noClasses()
          .should()
          .callMethod(System.class, "load", String.class)
          .orShould()
          .callMethod(System.class, "loadLibrary", String.class)
          .orShould()
          .callMethod(Runtime.class, "load", String.class)
          .orShould()
          .callMethod(Runtime.class, "loadLibrary", String.class);

  @ArchTest
  static final ArchRule no_backend =
      noClasses().should().dependOnClassesThat().resideInAnyPackage("dev.semantic.mlx..");

  @ArchTest
  static final ArchRule no_network =
      noClasses()
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("java.net.http..", "com.sun.net.httpserver..", "javax.net..")
          .orShould()
          .dependOnClassesThat()
          .haveFullyQualifiedName("java.net.Socket")
          .orShould()
          .dependOnClassesThat()
          .haveFullyQualifiedName("java.net.URL")
          .orShould()
          .dependOnClassesThat()
          .haveFullyQualifiedName("java.net.URLConnection");

  /** The constructors without a kind are for backends of others. */
  @ArchTest
  static final ArchRule we_say_the_kind =
      noClasses()
          .that()
          .doNotHaveFullyQualifiedName(ModelException.class.getName())
          .should()
          .callConstructor(ModelException.class, String.class)
          .orShould()
          .callConstructor(ModelException.class, String.class, Throwable.class);

  /** They take as long as a prompt is long; everybody waits for the scheduler. */
  @ArchTest
  static final ArchRule prompts_become_tokens_on_threads_of_their_own =
      noClasses()
          .that()
          .doNotHaveFullyQualifiedName("dev.semantic.engine.PromptTokenizer")
          .and()
          .doNotHaveFullyQualifiedName(Tokenizer.class.getName())
          .should()
          .callMethod(Tokenizer.class, "encode", String.class, boolean.class)
          .orShould()
          .callMethod(Tokenizer.class, "encodeChat", List.class)
          .orShould()
          .callMethod(Tokenizer.class, "renderChat", List.class)
          .orShould()
          .callMethod(Tokenizer.class, "encodeChat", Prompt.Chat.class)
          .orShould()
          .callMethod(Tokenizer.class, "renderChat", Prompt.Chat.class);

  @ArchTest
  static final ArchRule threads_begin_in_their_frame_only =
      noClasses()
          .that()
          .resideOutsideOfPackage("dev.semantic.timeline")
          .should()
          .callMethodWhere(
              target(owner(assignableTo(Timeline.class)))
                  .and(target(nameMatching("start")))
                  .as("Timeline.start"))
          .orShould()
          .callMethodWhere(
              target(owner(assignableTo(Thread.class)))
                  .and(
                      target(
                          nameMatching("start|startVirtualThread|ofPlatform|ofVirtual|sleep|join")))
                  .as("threads"))
          .orShould()
          .callConstructorWhere(target(owner(assignableTo(Thread.class))).as("new Thread"))
          .orShould()
          .callMethodWhere(
              target(nameMatching("parallel|parallelStream|.*Async")).as("the common pool"))
          .orShould()
          .dependOnClassesThat(
              assignableTo(Executor.class)
                  .or(assignableTo(Thread.Builder.class))
                  .or(assignableTo(Timer.class))
                  .or(assignableTo(ForkJoinTask.class))
                  .as("executors"));

  @ArchTest
  static final ArchRule words_cannot_throw =
      noClasses()
          .that()
          .resideOutsideOfPackage("dev.semantic.log")
          .should()
          .dependOnClassesThat()
          .haveFullyQualifiedName("org.slf4j.Logger");

  @ArchTest
  static final ArchRule no_cycles =
      slices().matching("dev.semantic.(*)..").should().beFreeOfCycles();

  /** A file's form and a root's directories are the store's own matter. */
  @ArchTest
  static final ArchRule files_are_the_stores_own =
      noClasses()
          .that()
          .resideOutsideOfPackage("dev.semantic.store..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("dev.semantic.store.format", "dev.semantic.store.directory");

  /** A cache file is what it is wherever it lies, and to whomever it is shown. */
  @ArchTest
  static final ArchRule the_store_stands_on_its_files =
      layeredArchitecture()
          .consideringOnlyDependenciesInAnyPackage("dev.semantic.store..")
          .layer("store")
          .definedBy("dev.semantic.store")
          .layer("directory")
          .definedBy("dev.semantic.store.directory")
          .layer("format")
          .definedBy("dev.semantic.store.format")
          .whereLayer("store")
          .mayNotBeAccessedByAnyLayer()
          .whereLayer("directory")
          .mayOnlyBeAccessedByLayers("store")
          .whereLayer("format")
          .mayOnlyBeAccessedByLayers("store", "directory");

  @ArchTest
  static final ArchRule the_machine_is_pure =
      noClasses()
          .that()
          .resideInAPackage("dev.semantic.swap")
          .or()
          .haveNameMatching("dev\\.semantic\\.registry\\.Swap(Machine|State|Event)(\\$.*)?")
          .should()
          .dependOnClassesThat(
              resideInAnyPackage(
                      "dev.semantic.registry",
                      "dev.semantic.engine",
                      "dev.semantic.spi",
                      "java.util.concurrent..")
                  .and(
                      not(
                          nameMatching(
                              "dev\\.semantic\\.registry\\.Swap(Machine|State|Event)(\\$.*)?"))));

  /**
   * What is made or opened to be written is its owner's only, and never where a link leads. {@code
   * AgentFiles} copies a block that it read, and {@code SnapshotReader} reads what a host imports,
   * wherever that lies.
   */
  @ArchTest
  static final ArchRule one_room_opens_files =
      noClasses()
          .that()
          .resideOutsideOfPackage("dev.semantic.io")
          .and()
          .haveNameNotMatching(
              "dev\\.semantic\\.store\\.(directory\\.AgentFiles|format\\.SnapshotReader)")
          .should()
          .callMethodWhere(
              target(owner(assignableTo(Files.class)))
                  .and(
                      target(
                          nameMatching(
                              "newOutputStream|newBufferedWriter|newByteChannel|write.*|create.*|copy")))
                  .as("Files that write"))
          .orShould()
          .callMethodWhere(
              target(owner(assignableTo(FileChannel.class)))
                  .and(target(nameMatching("open")))
                  .as("FileChannel.open"))
          .orShould()
          .callConstructorWhere(
              target(
                      owner(
                          assignableTo(FileOutputStream.class)
                              .or(assignableTo(RandomAccessFile.class))
                              .or(assignableTo(FileWriter.class))))
                  .as("streams to files"));
}
