# Sourced by the scripts beside it, after jdk.sh: builds what is stale, once for all who ask.

# is_stale STAMP SOURCE...: whether a file below the sources is newer than the stamp, or there is none.
is_stale() {
  local stamp="$1"
  shift
  [[ -e $stamp ]] || return 0
  [[ -n $(find "$@" -newer "$stamp" -type f -print -quit) ]]
}

# build STAMP WHAT MAVEN-ARGUMENT...: runs Maven over the checkout. The stamp takes the time at which
# the build began: what is changed meanwhile is built the next time.
build() {
  local stamp="$1" what="$2" began=$EPOCHREALTIME
  local log="$here/target/${0##*/}-build.log"
  shift 2
  command -v mvn >/dev/null ||
    fail 'mvn: not installed, and this checkout must be built; run: apt-get install maven' 6
  echo "$what ..." >&2
  if ! (cd "$here" && mvn -B -q "$@") >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    rm -f "$stamp"
    fail "the build failed; all of its output is in $log" 1
  fi
  touch -d "@${began/,/.}" "$stamp"
}

# build_when_stale STAMP WHAT SOURCE... -- MAVEN-ARGUMENT...
# One build at a time, and a second caller uses what the first has built.
build_when_stale() {
  local stamp="$1" what="$2" sources=()
  shift 2
  while [[ $1 != -- ]]; do
    sources+=("$1")
    shift
  done
  shift
  is_stale "$stamp" "${sources[@]}" || return 0
  mkdir -p "$here/target"
  exec 9>"$here/target/build.lock"
  flock 9
  if is_stale "$stamp" "${sources[@]}"; then build "$stamp" "$what" "$@"; fi
  exec 9>&-
}

# build_program: $dist, with lib, the class path that the command and its daemons run from, and with what a
# rehearsal leaves there: trefoil.aot and command.aot, what the JVM remembers of it, and native, libraries
# that are unpacked. With them a host starts with half of the work. Without them everything runs.
build_program() {
  dist="$here/packaging/target/dist"
  lib="$dist/lib"
  build_when_stale "$dist/.built" \
    'Building trefoil (mvn package); this takes a minute the first time' \
    "$here/pom.xml" "$here"/*/pom.xml "$here"/*/src/main \
    -- -Dmaven.test.skip=true package
  is_stale "$dist/.rehearsed" "$dist/.built" || return 0
  exec 9>"$here/target/build.lock"
  flock 9
  if is_stale "$dist/.rehearsed" "$dist/.built"; then
    echo 'Rehearsing (the JVM learns what a host does); this takes some seconds, once ...' >&2
    "$JAVA_HOME/bin/java" "${java_options[@]}" -cp "$lib/*" \
      org.trefoilfs.tools.rehearsal.Rehearsal "$dist" "${command_options[@]}" "${java_options[@]}" \
      >"$here/target/rehearsal.log" 2>&1 ||
      echo "The rehearsal failed; hosts start more slowly. Its output is in $here/target/rehearsal.log" >&2
    touch "$dist/.rehearsed"
  fi
  exec 9>&-
}

# Native code and Unsafe are used by Netty, RocksDB and jnr-ffi, and file descriptors by jnr.
java_options=(
  --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow
  --add-opens=java.base/java.nio=ALL-UNNAMED --add-opens=java.base/sun.nio.ch=ALL-UNNAMED
)

# A command is short: the quickest start, and little memory. Daemons get a JVM of their own.
command_options=(
  -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData -Xmx256m
)
