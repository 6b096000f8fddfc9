#!/bin/bash
# A rename is a copy on the server, then a delete: files, across buckets, onto existing ones, NOREPLACE; buckets by mv's copying.
. "$(dirname "$0")/../support/case.sh"
start_aws
make_files made 0 5 20971520
mount_b -o metadata_ttl=3600
mkdir mnt/one-bucket mnt/two-bucket
cp made/* mnt/one-bucket/
mkdir mnt/one-bucket/dir mnt/two-bucket/dir

# moved WHAT FROM TO WANTED: by one COPY and one DELETE
moved() {
    ls mnt/one-bucket mnt/two-bucket mnt/one-bucket/dir >/dev/null
    mark
    mv "mnt/$2" "mnt/$3"
    equal "COPY of $1" "$(requests PUT)" 1
    equal "DELETE of $1" "$(requests DELETE)" 1
    at_most "requests of $1" "$(requests)" 4
    at_most "bytes sent for $1" "$(bytes in)" 10000
    refused "No such file" stat "mnt/$2"
    cmp "mnt/$3" "made/$4"
    drop_pages "mnt/$3"
    cmp "mnt/$3" "made/$4"
    other "$3" | cmp - "made/$4"
    refused "404" other -o /dev/null "$2"
}
moved "a small file" one-bucket/5 one-bucket/five 5
moved "an empty file" one-bucket/0 one-bucket/dir/nought 0
moved "a large file" one-bucket/20971520 one-bucket/large 20971520
moved "a file to another bucket" one-bucket/large two-bucket/dir/large 20971520
moved "a file onto another" one-bucket/five two-bucket/dir/large 5
equal "the copies of its type" "$(other -I two-bucket/dir/large | grep -ci '^content-type: ')" 1

python <<'EOF'
from case import *
import ctypes
os.chdir("mnt")
libc = ctypes.CDLL(None, use_errno=True)
AT_FDCWD, RENAME_NOREPLACE, RENAME_EXCHANGE = -100, 1, 2

def renameat2(old, new, flags):
    if libc.renameat2(AT_FDCWD, old.encode(), AT_FDCWD, new.encode(), flags) < 0:
        raise OSError(ctypes.get_errno(), "renameat2")

for name in ("a", "b"):
    with open(f"one-bucket/{name}", "w") as f:
        f.write(name)
refused(errno.EEXIST, renameat2, "one-bucket/a", "one-bucket/b", RENAME_NOREPLACE)
refused(errno.EEXIST, renameat2, "one-bucket/a", "one-bucket/dir", RENAME_NOREPLACE)
refused(errno.EINVAL, renameat2, "one-bucket/a", "one-bucket/b", RENAME_EXCHANGE)
renameat2("one-bucket/a", "one-bucket/c", RENAME_NOREPLACE)
assert open("one-bucket/b").read() == "b" and open("one-bucket/c").read() == "a"
refused(errno.ENOENT, os.rename, "one-bucket/none", "one-bucket/c")
refused(errno.EISDIR, os.rename, "one-bucket/c", "one-bucket/dir")
refused(errno.ENOTDIR, os.rename, "one-bucket/dir", "one-bucket/c")
refused(errno.ENOTEMPTY, os.rename, "one-bucket/dir", "two-bucket/dir")
refused(errno.EINVAL, os.rename, "one-bucket/dir", "one-bucket/dir/inside")
refused(errno.EXDEV, os.rename, "one-bucket", "three-bucket")
refused(errno.EXDEV, os.rename, "one-bucket/dir", "three-bucket")
os.rename("one-bucket/b", "one-bucket/b")
assert sorted(os.listdir("one-bucket")) == ["b", "c", "dir"]
# metadata goes with the object
sh('other -T "$1" -H "x-amz-meta-colour: blue" -H "content-type: text/x-blue" one-bucket/dressed', "../made/5")
os.rename("one-bucket/dressed", "two-bucket/dressed")
head = sh("other -I two-bucket/dressed").decode().lower()
assert "x-amz-meta-colour: blue" in head and "content-type: text/x-blue" in head, head
EOF

# a bucket can't be renamed, so mv copies
mv mnt/two-bucket mnt/three-bucket 2>mv.err || fail "mv of a bucket: $(cat mv.err)"
equal "what moved" "$(cd mnt/three-bucket && find . -type f | sort | xargs)" "./dir/large ./dressed"
cmp mnt/three-bucket/dir/large made/5
refused "No such file" stat mnt/two-bucket
unmount_b
