#!/bin/bash
# Open files: what one handle writes another reads; dup and fork; fsync and on; O_EXCL; unlinked and renamed while open; mmap.
. "$(dirname "$0")/../support/case.sh"
start_aws
mount_b -o metadata_ttl=3600
mkdir mnt/open-bucket

python <<'EOF'
from case import *
import mmap, random, tempfile
os.chdir("mnt/open-bucket")
MIB = 1 << 20
large = random.randbytes(20 * MIB)

def stored(key):
    return sh('other "open-bucket/$1"', key)

def is_stored(key):
    return sh('other "open-bucket?list-type=2&prefix=$1" | grep -c "<Key>$1</Key>" || :', key) == b"1\n"

def put(path, data):
    with open(path, "wb") as f:
        f.write(data)

# read what was written, by the same handle and by another
fd = os.open("shared", os.O_RDWR | os.O_CREAT)
os.write(fd, b"0123456789")
assert os.pread(fd, 100, 0) == b"0123456789"
other = os.open("shared", os.O_RDWR)
assert os.read(other, 4) == b"0123"
os.pwrite(other, b"abc", 8)
assert os.pread(fd, 100, 5) == b"567abc" and os.fstat(fd).st_size == 11 and os.stat("shared").st_size == 11
os.close(fd)
os.pwrite(other, b"XY", 1)
os.close(other)
assert stored("shared") == b"0XY34567abc"

# the whole of a stream that was sent in part already
fd = os.open("stream", os.O_RDWR | os.O_CREAT)
write_all(fd, large)
assert os.pread(fd, 1000, 5 * MIB) == large[5 * MIB:5 * MIB + 1000]
os.pwrite(fd, b"patch", 3)
write_all(fd, b"more")
os.close(fd)
assert stored("stream") == large[:3] + b"patch" + large[8:] + b"more"

# appending by two, each at the end as it is then
one, two = (os.open("log", os.O_WRONLY | os.O_CREAT | os.O_APPEND) for _ in range(2))
for n in range(10):
    os.write(one, b"one\n")
    os.write(two, b"two\n")
os.close(one)
os.close(two)
assert stored("log") == b"one\ntwo\n" * 10

# appending past the page cache: one write is one piece, however the kernel cuts it
fd = os.open("direct", os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_DIRECT)
with mmap.mmap(-1, len(large)) as aligned:
    aligned[:] = large
    for _ in range(2):
        assert os.write(fd, aligned) == len(large)
os.close(fd)
assert stored("direct") == 2 * large
os.unlink("direct")

# dup and fork: one position, and each close saves
fd = os.open("dup", os.O_WRONLY | os.O_CREAT)
again = os.dup(fd)
os.write(fd, b"one ")
os.close(fd)
assert stored("dup") == b"one "
os.write(again, b"two ")
child = os.fork()
if child == 0:
    os.write(again, b"child ")
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
os.write(again, b"three")
os.close(again)
assert stored("dup") == b"one two child three"

# fsync, and writing on
fd = os.open("synced", os.O_WRONLY | os.O_CREAT)
for n in range(3):
    os.write(fd, b"%d" % n * 1000)
    os.fsync(fd)
    assert stored("synced") == b"".join(b"%d" % i * 1000 for i in range(n + 1))
os.pwrite(fd, b"first", 0)
os.fdatasync(fd)
assert stored("synced")[:6] == b"first0"
os.close(fd)

# exclusive
fd = os.open("excl", os.O_WRONLY | os.O_CREAT | os.O_EXCL)
refused(errno.EEXIST, os.open, "excl", os.O_WRONLY | os.O_CREAT | os.O_EXCL)
os.write(fd, b"mine")
os.close(fd)
refused(errno.EEXIST, os.open, "excl", os.O_WRONLY | os.O_CREAT | os.O_EXCL)
assert stored("excl") == b"mine"
with tempfile.NamedTemporaryFile(dir=".") as f:
    f.write(b"temporary")
    f.flush()
    assert open(f.name, "rb").read() == b"temporary"
assert sorted(os.listdir()) == ["dup", "excl", "log", "shared", "stream", "synced"]

# unlinked while open: nothing is saved, the handle goes on
fd = os.open("unlinked", os.O_RDWR | os.O_CREAT)
os.write(fd, b"for me alone")
os.unlink("unlinked")
refused(errno.ENOENT, os.stat, "unlinked")
os.write(fd, b", still")
assert os.pread(fd, 100, 0) == b"for me alone, still"
os.close(fd)
assert not is_stored("unlinked")
put("unlinked", b"new")
fd = os.open("unlinked", os.O_RDONLY)
assert os.read(fd, 2) == b"ne"
os.unlink("unlinked")
assert os.read(fd, 2) == b"w"
os.close(fd)

# renamed while open and unsaved: it is saved under the new name only
fd = os.open("old", os.O_RDWR | os.O_CREAT)
os.write(fd, b"before ")
os.rename("old", "new")
os.write(fd, b"after")
assert os.pread(fd, 100, 0) == b"before after"
os.close(fd)
assert stored("new") == b"before after" and not is_stored("old")
# replaced while open: the replaced one is gone, its handle harms nothing
old = os.open("shared", os.O_RDWR)
assert os.read(old, 2) == b"0X"
os.pwrite(old, b"lost", 0)
os.rename("new", "shared")
os.close(old)
assert stored("shared") == b"before after" == open("shared", "rb").read()
assert not is_stored("new")

# ftruncate, holes
fd = os.open("holes", os.O_RDWR | os.O_CREAT)
os.pwrite(fd, b"end", 9 * MIB)
os.ftruncate(fd, 10 * MIB)
assert os.pread(fd, 11 * MIB, 0) == bytes(9 * MIB) + b"end" + bytes(MIB - 3)
os.ftruncate(fd, 9 * MIB + 1)
os.ftruncate(fd, 9 * MIB + 3)
os.close(fd)
assert stored("holes") == bytes(9 * MIB) + b"e\0\0"
os.truncate("holes", 4)
assert stored("holes") == bytes(4)

# a shared mapping
put("mapped", large[:MIB + 1])
fd = os.open("mapped", os.O_RDWR)
with mmap.mmap(fd, 0) as m:
    m[1000:1005] = b"patch"
    m[MIB:MIB + 1] = b"!"
    m.flush()
os.close(fd)
assert stored("mapped") == large[:1000] + b"patch" + large[1005:MIB] + b"!"

# by a handle that appends, and beside one, whichever of them the kernel writes the pages by
put("mapped", large[:10000])
one, two = os.open("mapped", os.O_RDWR | os.O_APPEND), os.open("mapped", os.O_RDWR)
for fd, at in (one, 1000), (two, 6000):
    with mmap.mmap(fd, 0) as m:
        m[at:at + 5] = b"patch"
        m.flush()
    assert os.fstat(fd).st_size == 10000
os.write(one, b"appended")
os.close(one)
os.close(two)
assert stored("mapped") == large[:1000] + b"patch" + large[1005:6000] + b"patch" + large[6005:10000] + b"appended"
EOF
await '[ "$(uploads open-bucket)" = 0 ]'
unmount_b
lacks "$daemon_log" ' (error|warn): '
