#!/usr/bin/env bash
# Makes, in the present directory, what real trees rarely hold. Deterministic.
set -euo pipefail
export LC_ALL=C

seed=20260101
next() { # 0..255
  seed=$(((seed * 1103515245 + 12345) & 0x7fffffff))
  byte=$(((seed >> 16) & 255))
}

# Names of 255 bytes: any but NUL and slash; Latin-1; UTF-8 cut in the middle of a character.
mkdir names
for i in 1 2 3 4 5 6 7 8; do
  escaped=
  for ((k = 0; k < 255; k++)); do
    next
    while ((byte == 0 || byte == 47)); do next; done
    printf -v hex '\\x%02x' "$byte"
    escaped+=$hex
  done
  printf -v name "$escaped"
  printf 'content %d' "$i" >"names/$name"
done
printf -v latin '\xfcber-Stra\xdfe-%0240d' 7
printf 'latin-1' >"names/$latin"
printf -v cut '%0253d\xe2\x82' 8
printf 'cut' >"names/$cut"
mkdir "names/$(printf '%0255d' 9)"
touch names/'with space' names/-dash names/$'new\nline' names/$'tab\t' names/'*' names/'..x' names/$'\x01\x7f'
ln -s "$(printf 'target/%04000d' 1)" names/long-link

# Links.
mkdir links
printf 'shared' >links/a
ln links/a links/b
ln links/a names/c
ln -s a links/to-a
ln -s ../nowhere links/dangling
ln -s /absolute/$'\xff\xfe' links/absolute
ln -P links/to-a links/to-a-again

# Modes, owners, kinds.
mkdir modes
for mode in 0000 0001 0400 0644 0755 0777 1777 2755 4755 6711; do
  printf %s "$mode" >"modes/f$mode"
  chmod "$mode" "modes/f$mode"
  mkdir "modes/d$mode"
  chmod "$mode" "modes/d$mode"
done
for owner in 0:0 1:2 1000:1000 65534:65534 4000000000:4000000001; do
  printf %s "$owner" >"modes/o$owner"
  chown "$owner" "modes/o$owner"
done
printf x >modes/owned-setuid
chown 1000:1000 modes/owned-setuid
chmod 6755 modes/owned-setuid
mkfifo modes/fifo
mknod modes/null c 1 3

# Times to the nanosecond, long ago and far ahead.
mkdir times
for time in 1970-01-01T00:00:00.000000001Z 1969-12-31T23:59:59.999999999Z \
  2001-09-09T01:46:40.123456789Z 2038-01-19T03:14:08.5Z 2200-02-28T12:00:00.987654321Z; do
  touch -d "$time" "times/$time"
  touch -h -d "$time" "times/$time"
  ln -s target "times/link-$time"
  touch -h -d "$time" "times/link-$time"
done

# Extended attributes.
mkdir xattrs
printf x >xattrs/many
for i in 1 2 3 4 5 6 7 8 9 10; do setfattr -n "user.key$i" -v "value $i" xattrs/many; done
printf x >xattrs/binary
setfattr -n user.binary -v 0x00ff00fe0a xattrs/binary
setfattr -n user.empty xattrs/binary
printf x >xattrs/large
setfattr -n user.large -v "$(printf '%02000d' 3)" xattrs/large
setfattr -n user.of-a-directory -v yes xattrs

# Sizes: none, around blocks and chunks, and holes.
mkdir sizes
for size in 0 1 4095 4096 4097 131072 4194303 4194304 4194305 8388609; do
  head -c "$size" /dev/zero | tr '\0' 'x' >"sizes/$size"
done
truncate -s 10M sizes/only-hole
head -c 5000 /dev/urandom >sizes/tail-hole
truncate -s 20000001 sizes/tail-hole
# 6 GiB with islands: at the start, across chunks, at 2 and 4 GiB, and at the very end.
truncate -s 6G sizes/6GiB
for at in 0 4190000 1073741823 2147483640 4294967290 6442440944; do
  head -c 10000 /dev/urandom | dd of=sizes/6GiB bs=64k seek="$at" oflag=seek_bytes conv=notrunc status=none
done
