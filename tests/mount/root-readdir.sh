#!/bin/bash
# An open directory stands still: positions hold, seekdir() finds them again, and rewinddir() shows what is there now.
. "$(dirname "$0")/../support/case.sh"
start_aws
mount_b -o metadata_ttl=3600
tail=$(printf 'x%.0s' {1..48}) # long names, so that the kernel asks for them in several pieces
for n in {10..69}; do mkdir "mnt/b$n-$tail"; done

/usr/bin/python3 - mnt <<'EOF' || fail "see above"
import ctypes, os, sys
from ctypes import c_char_p, c_long, c_void_p

class Dirent(ctypes.Structure):
    _fields_ = [("ino", ctypes.c_uint64), ("off", ctypes.c_int64), ("len", ctypes.c_ushort),
                ("type", ctypes.c_ubyte), ("name", ctypes.c_char * 256)]

libc = ctypes.CDLL(None)
def function(name, result, *arguments):
    f = getattr(libc, name)
    f.restype, f.argtypes = result, arguments
    return f
opendir = function("opendir", c_void_p, c_char_p)
readdir = function("readdir", ctypes.POINTER(Dirent), c_void_p)
telldir = function("telldir", c_long, c_void_p)
seekdir = function("seekdir", None, c_void_p, c_long)
rewinddir = function("rewinddir", None, c_void_p)
closedir = function("closedir", ctypes.c_int, c_void_p)

root = sys.argv[1]
def name(d):
    entry = readdir(d)
    return entry.contents.name.decode() if entry else None
def everything(d):
    return list(iter(lambda: name(d), None))

buckets = sorted(os.listdir(root))
assert len(buckets) == 60, buckets
d, places = opendir(root.encode()), []
while True:
    place = telldir(d)
    found = name(d)
    places.append((place, found))
    if found is None:
        break
assert [n for _, n in places] == [".", ".."] + buckets + [None], places
assert len({p for p, _ in places}) == len(places), "a position stands for two entries"

# there and back; the end, too, is a position
for i in [40, 3, 61, 2, 62, 33, 1]:
    seekdir(d, places[i][0])
    assert name(d) == places[i][1], (i, places[i])
    if i < 62:
        assert name(d) == places[i + 1][1], i

# what changes meanwhile moves nothing
os.rmdir(f"{root}/{buckets[0]}")
os.mkdir(f"{root}/a-new-one")
seekdir(d, places[30][0])
assert everything(d) == buckets[28:], "another entry at an old position"

other = opendir(root.encode())
rewinddir(d)
now = [".", "..", "a-new-one"] + buckets[1:]
assert everything(d) == now, "not what is there now"
assert everything(other) == now
closedir(other)
closedir(d)

# removed while it is walked, as rm -r does it
for entry in os.scandir(root):
    assert entry.is_dir(follow_symlinks=False) and entry.inode() == os.stat(entry.path).st_ino, entry.path
    os.rmdir(entry.path)
assert os.listdir(root) == []
EOF
unmount_b
