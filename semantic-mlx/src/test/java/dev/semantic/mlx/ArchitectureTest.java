package dev.semantic.mlx;

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
import java.util.stream.Stream;

/** The rooms of this module, and what may not leave them. */
@AnalyzeClasses(packages = "dev.semantic.mlx", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
  private static final String CAPI = "dev.semantic.mlx.capi";
  private static final String ARRAY = "dev.semantic.mlx.array";

  @ArchTest
  static final ArchRule ONLY_CAPI_LINKS =
      noClasses()
          .that()
          .resideOutsideOfPackage(CAPI)
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
                  "are of capi or array, or Mlx itself",
                  c ->
                      c.getPackageName().equals(CAPI)
                          || c.getPackageName().equals(ARRAY)
                          || c.getName().startsWith("dev.semantic.mlx.Mlx$Memory")));

  @ArchTest
  static final ArchRule NO_NATIVE_TYPE_IN_PUBLIC =
      noMethods()
          .that()
          .areDeclaredInClassesThat()
          .resideInAnyPackage("dev.semantic.mlx", "dev.semantic.mlx.store")
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
          .resideOutsideOfPackage("dev.semantic.mlx.store.hub")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("java.net.http", "com.sun.net.httpserver");

  @ArchTest static final ArchRule NO_JNI = methods().should().notHaveModifier(JavaModifier.NATIVE);

  @ArchTest
  static final ArchRule NO_CYCLES =
      slices().matching("dev.semantic.mlx.(*)..").should().beFreeOfCycles();

  private static ArchCondition<JavaMethod> mentionNativeTypes() {
    return new ArchCondition<>("mention native types") {
      @Override
      public void check(JavaMethod method, ConditionEvents events) {
        Stream.concat(method.getRawParameterTypes().stream(), Stream.of(method.getRawReturnType()))
            .map(JavaClass::getPackageName)
            .filter(p -> p.equals("java.lang.foreign") || p.equals(CAPI) || p.equals(ARRAY))
            .forEach(
                p -> events.add(SimpleConditionEvent.satisfied(method, method + " mentions " + p)));
      }
    };
  }
}
