#!/bin/bash
# A line of fstab mounts it by mount -a, as type fuse.xacctfs and, through mount.xacctfs, as type xacctfs; umount ends it.
. "$(dirname "$0")/../support/case.sh"
start_aws
# /usr/sbin of this case alone: mount(8) looks for its helpers there, and mount.fuse for the program in PATH
mkdir -p upper over mnt mnt2
mount -t tmpfs none over
mkdir over/upper over/work
mount -t overlay overlay -o "lowerdir=/usr/sbin,upperdir=$work/over/upper,workdir=$work/over/work" /usr/sbin ||
    skip "overlayfs is not to be had"
cp "$XACCTFS" /usr/sbin/xacctfs
ln -s xacctfs /usr/sbin/mount.xacctfs
export PATH=/usr/sbin:$PATH

cat >fstab <<EOF
accountB $work/mnt fuse.xacctfs _netdev,nofail,x-systemd.automount,metadata_ttl=1,noatime 0 0
accountB $work/mnt2 xacctfs _netdev,nofail,ro,metadata_ttl=0 0 0
EOF
mount --fstab "$work/fstab" -a 2>mount.err || fail "$(cat mount.err)"
has /proc/mounts "^accountB $work/mnt fuse.xacctfs .*noatime"
has /proc/mounts "^accountB $work/mnt2 fuse.xacctfs ro"
mkdir mnt/by-fstab
equal "ls of the second" "$(ls mnt2)" by-fstab
refused "Read-only file system" mkdir mnt2/not-here
mapfile -t pids < <(pgrep "^(mount\.)?xacctfs$")
equal "daemons" "${#pids[@]}" 2
umount mnt mnt2
ended "${pids[@]}"
# mount --fake does all but the mount
mount --fstab "$work/fstab" --fake "$work/mnt2"
! mountpoint -q mnt2 || fail "--fake mounted"
