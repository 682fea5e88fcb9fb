# Installs the package in a Debian root that has no Java, uses it, and removes it. Arguments: the package,
# a root as debootstrap --variant=minbase makes it, and a free pair of ports' first. What is mounted is
# gone with the namespace that this runs in (unshare -m).
set -euo pipefail
package="$1" root="$2" port="$3"

mount --make-rprivate /
# Java asks on which mount a directory lies, which a root that is none would not show.
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/run"
for device in fuse null urandom random; do
  [[ -e $root/dev/$device ]] || touch "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
cp "$package" "$root/trefoil.deb"

# Whatever happens, no daemon stays. Its process is asked for by the directory that it holds.
stop() {
  local pid
  pid="$(sed -n 's/.*"pid" *: *\([0-9]*\).*/\1/p' "$root/var/lib/trefoil/daemon.json" 2>/dev/null | head -1)"
  if [[ -n $pid && $pid != 0 && $(readlink "/proc/$pid/root") == "$root" ]]; then kill -9 "$pid"; fi
}
trap stop EXIT

chroot "$root" /bin/bash -euo pipefail -s "$port" <<'INSIDE'
port="$1"
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8
say() { echo "== $*"; }
not() { if "$@"; then return 1; fi; }
start() {
  trefoil host start --data /var/lib/trefoil --config /etc/trefoil/host.yaml --name alpha \
    --listen "127.0.0.1:$port" --detach
}

say 'it installs, without a Java of the machine'
not command -v java
dpkg -i /trefoil.deb
trefoil version

say 'its ahead-of-time caches fit'
/usr/lib/trefoil/jre/bin/java @/usr/lib/trefoil/java.options -Xlog:aot=error:stdout \
  org.trefoilfs.tools.Trefoil version | tee /tmp/said
not grep -q 'AOT' /tmp/said

say 'a host starts and mount -t trefoil mounts'
start
not grep -q 'AOT' /var/lib/trefoil/daemon.out
trefoil volume create work --replicas 1
mkdir -p /mnt/work
mount -t trefoil work /mnt/work
echo kept >/mnt/work/file
umount /mnt/work
test -z "$(ls -A /mnt/work)"

say 'an entry of fstab does'
echo "127.0.0.1:$port:/work /mnt/work trefoil _netdev,nofail 0 0" >>/etc/fstab
mount /mnt/work
grep -q kept /mnt/work/file
mount /mnt/work || true
grep -c ' /mnt/work ' /proc/self/mounts | grep -qx 1

say 'removed, the host stops and unmounts, and the data stay'
dpkg -r trefoil
test ! -e /usr/bin/trefoil
not grep -q ' /mnt/work ' /proc/self/mounts
test -e /var/lib/trefoil/host.properties
test -e /etc/trefoil/host.yaml
dpkg -P trefoil
test ! -e /etc/trefoil/host.yaml
test -e /var/lib/trefoil/host.properties
test ! -e /usr/lib/trefoil

say 'installed again, the host has all that it had'
dpkg -i /trefoil.deb
start
mount /mnt/work
grep -q kept /mnt/work/file
dpkg -P trefoil
say 'done'
INSIDE
