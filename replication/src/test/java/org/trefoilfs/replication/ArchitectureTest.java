package org.trefoilfs.replication;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import java.time.Instant;
import org.junit.jupiter.api.Test;

/** The arrows and bans of the design: what makes simulation possible. */
class ArchitectureTest {
  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages("org.trefoilfs.replication");

  @Test
  void onlyTheNettyAdapterKnowsNetty() {
    check(
        noClasses()
            .that()
            .resideOutsideOfPackage("..transport.netty..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("io.netty.."));
  }

  @Test
  void theCommitProtocolHasNoThreadClockOrSocket() {
    check(
        noClasses()
            .that()
            .resideInAPackage("..replication.commit..")
            .should()
            .dependOnClassesThat(THREADS_OR_IO)
            .orShould()
            .callMethod(System.class, "nanoTime")
            .orShould()
            .callMethod(System.class, "currentTimeMillis"));
  }

  /** {@code SecureRandom} is left to composition roots, which fill the port with it. */
  @Test
  void wallClockAndRandomnessComeThroughTheirPorts() {
    check(
        noClasses()
            .that()
            .resideOutsideOfPackage("..replication.env..")
            .should()
            .callMethod(System.class, "currentTimeMillis")
            .orShould()
            .callMethod(Instant.class, "now")
            .orShould()
            .callMethod(Math.class, "random")
            .orShould()
            .dependOnClassesThat()
            .haveFullyQualifiedName("java.util.Random")
            .orShould()
            .dependOnClassesThat()
            .haveFullyQualifiedName("java.util.concurrent.ThreadLocalRandom"));
  }

  private static final DescribedPredicate<JavaClass> THREADS_OR_IO =
      DescribedPredicate.describe(
          "are threads, locks, executors, sockets or files",
          type ->
              type.getPackageName().startsWith("java.util.concurrent.locks")
                  || type.getPackageName().startsWith("java.net")
                  || type.getPackageName().startsWith("java.nio.channels")
                  || type.getPackageName().startsWith("java.nio.file")
                  || type.getName().startsWith("java.io.File")
                  || type.isAssignableTo(Thread.class)
                  || type.isAssignableTo(java.util.concurrent.Executor.class));

  private static void check(ArchRule rule) {
    rule.allowEmptyShould(true).check(CLASSES);
  }
}
