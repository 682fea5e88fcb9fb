package org.trefoilfs.tools;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

class ArchitectureTest {
  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages("org.trefoilfs.tools");

  @Test
  void onlyTheHttpAdapterKnowsNetty() {
    noClasses()
        .that()
        .resideOutsideOfPackage("..tools.http..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("io.netty..")
        .check(CLASSES);
  }

  @Test
  void thePluginKnowsItsHostByAPortAlone() {
    noClasses()
        .that()
        .resideInAPackage("..tools.docker..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("..tools.daemon..", "..tools.cli..", "..tools.library..")
        .check(CLASSES);
  }
}
