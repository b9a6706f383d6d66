#!/bin/sh
# A machine of its own for tests: becomes PID 1 of the name spaces that it was started in, on a copy of this machine's
# files that is thrown away (an overlay in memory). Nothing of it reaches the kernel's settings, the net or the disk.
#
#   real-systemd.sh FOLDER USERS SHOWN...
#
# FOLDER: an empty one. USERS: lines of a password file; they linger. SHOWN: folders that are the real ones inside.
set -eu
folder=$1 users=$2
shift 2
root=$folder/root
mount -t tmpfs tmpfs "$folder"
mkdir "$root" "$folder/changes" "$folder/work"
mount -t overlay overlay -o "lowerdir=/,upperdir=$folder/changes,workdir=$folder/work" "$root"

mount -t proc proc "$root/proc"
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,bind,ro "$root/proc/sys"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for name in null zero full random urandom tty; do
  touch "$root/dev/$name"
  mount --bind "/dev/$name" "$root/dev/$name"
done
ln -s /proc/self/fd "$root/dev/fd"
for path in "$@"; do
  mkdir -p "$root$path"
  mount --rbind "$path" "$root$path"
done

# Of this machine's own services none is started; of the bus, the logins and the journal each.
for path in /etc/systemd/system /lib/systemd/system/sysinit.target.wants /lib/systemd/system/multi-user.target.wants \
  /var/lib/systemd /var/log/journal; do
  mkdir -p "$root$path"
  mount -t tmpfs -o mode=755 tmpfs "$root$path"
done
wants=$root/etc/systemd/system/multi-user.target.wants
mkdir -p "$wants" "$root/var/lib/systemd/linger"
for unit in dbus systemd-logind systemd-user-sessions systemd-journald; do
  ln -s "/lib/systemd/system/$unit.service" "$wants/"
done
ln -s /dev/null "$root/etc/systemd/system/getty.target"
rm -f "$root/etc/machine-id"
echo 5741746566657272795f746573745f31 >"$root/etc/machine-id"
printf '%s\n' "$users" | while IFS=: read -r name _ uid gid _; do
  echo "$name:x:$gid:" >>"$root/etc/group"
  touch "$root/var/lib/systemd/linger/$name"
done
printf '%s\n' "$users" >>"$root/etc/passwd"

ip link set lo up 2>/dev/null || true
mkdir "$root/run/before"
cd "$root"
pivot_root . run/before
umount -l /run/before
exec env -i container=stateferry-test PATH=/usr/sbin:/usr/bin:/sbin:/bin \
  /lib/systemd/systemd --system --unit=multi-user.target --log-target=null --show-status=0
