# Sourced by the scripts beside it: sets JAVA_HOME to a JDK 25 or newer, or says what to install.

fail() {
  echo "trefoil: $1" >&2
  exit "$2"
}

# Major version of the JDK in a directory; nothing when there is no compiler in it.
jdk_version() {
  [[ -x $1/bin/javac && -r $1/release ]] || return 0
  sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$1/release"
}

find_jdk() {
  local on_path candidate version
  on_path="$(command -v javac || true)"
  for candidate in "${JAVA_HOME:-}" /usr/lib/jvm/* "${on_path:+$(dirname "$(dirname "$(readlink -f "$on_path")")")}"; do
    [[ -n $candidate ]] || continue
    version="$(jdk_version "$candidate")"
    if [[ -n $version && $version -ge 25 ]]; then
      echo "$candidate"
      return 0
    fi
  done
  return 1
}

JAVA_HOME="$(find_jdk)" ||
  fail 'JDK 25: not found in JAVA_HOME, /usr/lib/jvm or PATH; install one, for example temurin-25-jdk from https://adoptium.net, or set JAVA_HOME' 6
export JAVA_HOME
