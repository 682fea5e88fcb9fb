# Sourced by the scripts beside it that run a program of the tests against real hosts: run_testbed.
# Needs $here, the checkout; sets JAVA_HOME.

. "$here/tools/jdk.sh"
. "$here/tools/build.sh"
export PATH="$PATH:/usr/sbin:/sbin"

# run_testbed CLASS 'PROGRAMS IT NEEDS' ARGUMENT...: builds what is missing, and becomes the program.
run_testbed() {
  local class=$1 need classpath="$here/tools/target/testbed.classpath"
  for need in mvn $2; do
    command -v "$need" >/dev/null ||
      fail "$need: not installed; run: tools/verify, which installs what the tests need" 6
  done
  [[ $(id -u) -eq 0 ]] || fail 'network namespaces need root; run it as root' 6
  shift 2
  build_when_stale "$classpath" 'Building (mvn package)' \
    "$here/pom.xml" "$here"/*/pom.xml "$here"/*/src/main "$here/tools/src/test" \
    -- -pl tools -am -DskipTests package dependency:build-classpath \
    -Dmdep.includeScope=test -Dmdep.outputFile="$classpath"
  build_program
  # Daemons run as they are shipped, without the tests.
  exec "$JAVA_HOME/bin/java" -Xmx512m "${java_options[@]}" \
    -Dtrefoil.classpath="$lib/*" -Dtrefoil.aot="$dist/trefoil.aot" -Dtrefoil.native="$dist/native" \
    -cp "$here/tools/target/test-classes:$here/tools/target/classes:$(<"$classpath")" \
    "$class" "$@"
}
