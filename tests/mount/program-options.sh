#!/bin/bash
# uid, gid, umask, dir_mode, ro, allow_other, the words of the kernel and libfuse, and READY=1 for systemd.
. "$(dirname "$0")/../support/case.sh"
start_aws
chmod 755 .
cat >listen.py <<'EOF'
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("notify")
print("bound", flush=True)
while True:
    print(s.recv(4096).decode(), flush=True)
EOF
/usr/bin/python3 listen.py >notified &
await 'grep -q bound notified'
NOTIFY_SOCKET=$work/notify mount_b -o uid=65534,gid=12,umask=027
await_log 'READY=1' notified || fail "systemd was not told"
mkdir mnt/options-bucket
equal "owner and mode" "$(stat -c '%u %g %a' mnt/options-bucket)" "65534 12 750"
refused "Permission denied" setpriv --reuid=65534 --regid=12 --clear-groups ls mnt
unmount_b
await "grep -q 'STOPPING=1' notified"

mount_b -o uid=nobody,allow_other,dir_mode=0700
equal "owner and mode" "$(stat -c '%U %a' mnt)" "nobody 700"
equal "ls of another user" "$(setpriv --reuid=65534 --regid=65534 --clear-groups ls mnt)" options-bucket
refused "Permission denied" setpriv --reuid=65533 --regid=65533 --clear-groups ls mnt
unmount_b

for words in nodev,nosuid,noexec,noatime,nodiratime dev,suid,exec,atime,diratime,async dirsync,sync fsname=account,subtype=b default_permissions auto_unmount; do
    mount_b -o "$words"
    equal "ls with $words" "$(ls mnt)" options-bucket
    has /proc/mounts " $work/mnt fuse\."
    unmount_b
done

mount_b -o ro
refused "Read-only file system" mkdir mnt/no-bucket
refused "Read-only file system" rmdir mnt/options-bucket
unmount_b
