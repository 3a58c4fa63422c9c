package dev.semantic.mlx;

import static com.tngtech.archunit.core.domain.JavaAccess.Predicates.target;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.assignableTo;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.nameMatching;
import static com.tngtech.archunit.core.domain.properties.HasOwner.Predicates.With.owner;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.methods;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noMethods;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaMethod;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import dev.semantic.model.ModelException;
import java.io.FileOutputStream;
import java.io.FileWriter;
import java.io.RandomAccessFile;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.util.stream.Stream;

/** The rooms of this module, and what may not leave them. */
@AnalyzeClasses(packages = "dev.semantic.mlx", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
  private static final String CAPI = "dev.semantic.mlx.capi";
  private static final String GRAMMAR = "dev.semantic.mlx.grammar";
  private static final String ARRAY = "dev.semantic.mlx.array";

  @ArchTest
  static final ArchRule ONLY_CAPI_LINKS =
      noClasses()
          .that()
          .resideOutsideOfPackage(CAPI + "..")
          .should()
          .dependOnClassesThat()
          .haveFullyQualifiedName("java.lang.foreign.Linker")
          .orShould()
          .dependOnClassesThat()
          .haveFullyQualifiedName("java.lang.foreign.SymbolLookup")
          .orShould()
          .dependOnClassesThat()
          .haveFullyQualifiedName("java.lang.foreign.FunctionDescriptor")
          .orShould()
          .dependOnClassesThat()
          .haveFullyQualifiedName("java.lang.invoke.MethodHandle");

  /** The constructors without a kind are for backends of others. */
  @ArchTest
  static final ArchRule WE_SAY_THE_KIND =
      noClasses()
          .should()
          .callConstructor(ModelException.class, String.class)
          .orShould()
          .callConstructor(ModelException.class, String.class, Throwable.class);

  @ArchTest
  static final ArchRule ONLY_ARRAYS_CALL =
      classes()
          .that()
          .haveSimpleNameEndingWith("Calls")
          .should()
          .onlyBeAccessed()
          .byClassesThat(
              com.tngtech.archunit.base.DescribedPredicate.describe(
                  "are of capi, array or grammar, or Mlx itself",
                  c ->
                      c.getPackageName().equals(CAPI)
                          || c.getPackageName().equals(ARRAY)
                          || c.getPackageName().equals(GRAMMAR)
                          || c.getName().startsWith("dev.semantic.mlx.Mlx$Memory")));

  @ArchTest
  static final ArchRule NO_NATIVE_TYPE_IN_PUBLIC =
      noMethods()
          .that()
          .areDeclaredInClassesThat()
          .resideInAnyPackage("dev.semantic.mlx", "dev.semantic.mlx.models")
          .and()
          .areDeclaredInClassesThat()
          .arePublic()
          .and()
          .arePublic()
          .should(mentionNativeTypes());

  @ArchTest
  static final ArchRule ONLY_THE_HUB_SPEAKS_HTTP =
      noClasses()
          .that()
          .resideOutsideOfPackage("dev.semantic.mlx.models.hub")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("java.net.http", "com.sun.net.httpserver");

  @ArchTest static final ArchRule NO_JNI = methods().should().notHaveModifier(JavaModifier.NATIVE);

  @ArchTest
  static final ArchRule NO_CYCLES =
      slices().matching("dev.semantic.mlx.(*)..").should().beFreeOfCycles();

  /**
   * Who opens files to write beside the core's room, {@code dev.semantic.io}, and why that is
   * right: {@code files} builds in new directories of its own below one that it has claimed; {@code
   * convert} writes where a host says, in a directory that it makes; {@code HubCache} and {@code
   * PartialBlob} write by that room into a cache that is others' too; the rest writes into
   * directories that it has just made, and {@code MappedFile} and {@code Fingerprints} read models
   * wherever they lie.
   */
  private static final String MAY_OPEN_FILES =
      "dev\\.semantic\\.mlx\\.(files|convert)\\..*"
          + "|dev\\.semantic\\.mlx\\.models\\.hub\\.(HubCache|PartialBlob|HubOutline)"
          + "|dev\\.semantic\\.mlx\\.models\\.(RemoteModelHeaders|ModelFetcher|PartJoiner)"
          + "|dev\\.semantic\\.mlx\\.tokenizer\\.TokenizerLibrary"
          + "|dev\\.semantic\\.mlx\\.capi\\.natives\\.NativeLibrary"
          + "|dev\\.semantic\\.mlx\\.isolated\\.(WorkerOptions|WorkerClassPath)"
          + "|dev\\.semantic\\.mlx\\.checkpoint\\.(MappedFile|Fingerprints)";

  @ArchTest
  static final ArchRule FEW_OPEN_FILES =
      noClasses()
          .that()
          .haveNameNotMatching(MAY_OPEN_FILES)
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

  private static ArchCondition<JavaMethod> mentionNativeTypes() {
    return new ArchCondition<>("mention native types") {
      @Override
      public void check(JavaMethod method, ConditionEvents events) {
        Stream.concat(method.getRawParameterTypes().stream(), Stream.of(method.getRawReturnType()))
            .map(JavaClass::getPackageName)
            .filter(p -> p.equals("java.lang.foreign") || p.startsWith(CAPI) || p.equals(ARRAY))
            .forEach(
                p -> events.add(SimpleConditionEvent.satisfied(method, method + " mentions " + p)));
      }
    };
  }
}
