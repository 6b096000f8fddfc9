#!/bin/bash
# Attributes are the mount's and S3's: a change that changes nothing succeeds, touch is a copy onto itself, all else is EPERM; xattrs.
. "$(dirname "$0")/../support/case.sh"
start_aws
mount_b -o metadata_ttl=3600
mkdir mnt/attrs-bucket
cd mnt/attrs-bucket
echo text >file.txt
mkdir dir
equal "modes and owners" "$(stat -c '%A %U %G' file.txt dir | xargs)" "-rw-r--r-- root root drwxr-xr-x root root"
equal "size and blocks" "$(stat -c '%s %b' file.txt)" "5 1"

mark
chmod 644 file.txt && chmod 755 dir && chown root:root file.txt dir
touch -d "$(stat -c @%.9Y file.txt)" file.txt
equal "requests of what changes nothing" "$(requests)" 0
for change in "chmod 600 file.txt" "chmod +x file.txt" "chmod 700 dir" "chown nobody file.txt" "chgrp nogroup dir" "touch -d 2001-02-03 file.txt" \
    "touch dir -d 2001-02-03" "ln -s file.txt symlink" "ln file.txt link" "mkfifo fifo" "mknod device c 1 3" \
    "setfattr -n trusted.x -v 1 file.txt"; do
    # shellcheck disable=SC2086
    refused "" $change
done
refused "Operation not permitted" chmod 600 file.txt
refused "Operation not permitted" chown nobody file.txt
refused "Operation not permitted" touch -d 2001-02-03 file.txt
refused "Operation not permitted" ln -s file.txt symlink
refused "Operation not permitted" ln file.txt link
equal "requests of what is refused" "$(requests PUT)$(requests DELETE)$(requests POST)" 000
equal "ls" "$(ls -A | xargs)" "dir file.txt"

# touch of an object: the same bytes, type and metadata, a new date
other -T "$work/mnt/attrs-bucket/file.txt" -H 'x-amz-meta-colour: blue' -H 'content-type: text/x-blue' attrs-bucket/touched
etag=$(other -I attrs-bucket/touched | tr -d '\r' | awk 'tolower($1) == "etag:" { print $2 }')
before=$(stat -c %Y touched)
await "[ \$(date +%s) -gt $((before + 1)) ]"
mark
touch touched
equal "PUT of touch" "$(requests PUT)" 1
at_most "bytes sent" "$(bytes in PUT)" 3000
at_least "the new date" "$(stat -c %Y touched)" $((before + 1))
equal "its bytes" "$(other attrs-bucket/touched)" text
other -I attrs-bucket/touched | tr -d '\r' | tr A-Z a-z >"$work/head"
has "$work/head" '^x-amz-meta-colour: blue$'
has "$work/head" '^content-type: text/x-blue$'
mark
touch made
equal "PUT of touch of a new file" "$(requests PUT)" 1
equal "its size" "$(stat -c %s made)" 0

# a date that is set while the file is written goes with it
echo dated >"$work/dated"
touch -d '2001-02-03 04:05:06.789 UTC' "$work/dated"
cp --preserve=timestamps "$work/dated" dated
other -I attrs-bucket/dated | tr -d '\r' >"$work/head"
has "$work/head" '^x-amz-meta-mtime: 981173106(\.7890*)?$'
equal "its bytes" "$(other attrs-bucket/dated)" dated

# xattrs
equal "etag" "$(getfattr --only-values -n user.s3.etag touched)" "$etag"
equal "storage class" "$(getfattr --only-values -n user.s3.storage-class touched)" STANDARD
equal "type" "$(getfattr --only-values -n user.s3.content-type touched)" text/x-blue
equal "type by suffix" "$(getfattr --only-values -n user.s3.content-type file.txt)" text/plain
equal "user metadata" "$(getfattr --only-values -n user.meta.colour touched)" blue
getfattr -d touched >"$work/xattrs"
has "$work/xattrs" '^user.meta.colour="blue"$'
has "$work/xattrs" '^user.s3.etag='
refused "No such attribute" getfattr -n user.none touched
refused "Operation not supported" getfattr -n trusted.none touched
refused "Operation not supported" setfattr -n user.meta.colour -v red touched
equal "user metadata" "$(getfattr --only-values -n user.meta.colour touched)" blue

# room and locks
at_least "free GiB" "$(df --output=avail -BG . | tail -n 1 | tr -dc 0-9)" 1000
flock -n file.txt true
python <<'EOF'
from case import *
import fcntl
with open("file.txt", "r+") as f:
    fcntl.lockf(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
    child = os.fork()
    if child == 0:
        refused(errno.EAGAIN, fcntl.lockf, open("file.txt", "r+"), fcntl.LOCK_EX | fcntl.LOCK_NB)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
EOF
cd "$work"
unmount_b

mount_b -o uid=65534,gid=65534,umask=027,allow_other
equal "modes and owners" "$(stat -c '%A %U %G' mnt/attrs-bucket/{file.txt,dir} | xargs)" "-rw-r----- nobody nogroup drwxr-x--- nobody nogroup"
equal "as the owner" "$(setpriv --reuid=65534 --clear-groups cat mnt/attrs-bucket/file.txt)" text
refused "Permission denied" setpriv --reuid=33 --regid=33 --clear-groups cat mnt/attrs-bucket/file.txt
unmount_b
mount_b -o read_only
refused "Read-only file system" touch mnt/attrs-bucket/file.txt
refused "Read-only file system" rm mnt/attrs-bucket/file.txt
equal "reading" "$(cat mnt/attrs-bucket/file.txt)" text
unmount_b
