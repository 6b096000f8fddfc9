#!/bin/bash
# A directory of 2,500 objects: 3 LIST and nothing else, the first page before the others, any order of seeks, and rm -r.
. "$(dirname "$0")/../support/case.sh"
start_aws
mount_b -o metadata_ttl=60
mkdir mnt/large-bucket
echo data >data
other -T data 'large-bucket/many/n-[0001-2500]'
other -T data 'large-bucket/many/m/[1-3]'

mark
ls -l mnt/large-bucket/many >listed
equal "lines" "$(grep -c ' n-' listed)" 2500
equal "LIST of the directory" "$(requests GET 'prefix=many(%2F|/)&')" 3
equal "HEAD" "$(requests HEAD)" 0
at_most "requests" "$(requests)" 5
equal "find" "$(find mnt/large-bucket -type f | wc -l)" 2503

# the first page does not wait for the second
fault add --path '[?&]continuation-token=' hang >/dev/null
python <<'EOF'
from case import *
with os.scandir("mnt/large-bucket/many") as entries:
    assert next(entries).name == "m"
    assert next(entries).name == "n-0001"
EOF
fault clear

python <<'EOF'
from case import *
import ctypes, random
seed = random.randrange(2**32)
print("seed", seed)
random.seed(seed)

class dirent(ctypes.Structure):
    _fields_ = [("ino", ctypes.c_uint64), ("off", ctypes.c_int64), ("reclen", ctypes.c_uint16), ("type", ctypes.c_uint8),
                ("name", ctypes.c_char * 256)]

libc = ctypes.CDLL(None, use_errno=True)
libc.opendir.restype, libc.opendir.argtypes = ctypes.c_void_p, [ctypes.c_char_p]
libc.readdir.restype, libc.readdir.argtypes = ctypes.POINTER(dirent), [ctypes.c_void_p]
libc.telldir.restype, libc.telldir.argtypes = ctypes.c_long, [ctypes.c_void_p]
libc.seekdir.restype, libc.seekdir.argtypes = None, [ctypes.c_void_p, ctypes.c_long]
libc.rewinddir.restype, libc.rewinddir.argtypes = None, [ctypes.c_void_p]

def read(d):
    entry = libc.readdir(d)
    return entry.contents.name.decode() if entry else None

def read_all(d):
    all = []
    while True:
        at, name = libc.telldir(d), read(d)
        all.append((at, name))
        if name is None:
            return all

d = libc.opendir(b"mnt/large-bucket/many")
all = read_all(d)
names = [name for _, name in all]
assert names[:-1] == [".", "..", "m"] + [f"n-{n:04}" for n in range(1, 2501)], len(names)
for i in random.sample(range(len(all)), 30) + [0, len(all) - 1, 1002, 1003, 1004]:
    libc.seekdir(d, all[i][0])
    assert [read(d) for _ in names[i:i + 3]] == names[i:i + 3], (i, all[i])
open("mnt/large-bucket/many/new", "w").close()
os.unlink("mnt/large-bucket/many/n-0001")
libc.rewinddir(d)
assert [name for _, name in read_all(d)] == [".", "..", "m"] + names[4:-1] + ["new", None]
assert sorted(os.listdir("mnt/large-bucket/many")) == sorted(names[2:3] + names[4:-1] + ["new"])
EOF

other -T data 'large-bucket/removed/[0001-1200]'
rm -r mnt/large-bucket/removed
equal "ls" "$(ls mnt/large-bucket)" many
equal "keys" "$(other 'large-bucket?list-type=2&prefix=removed' | grep -c '<Key>' || :)" 0
unmount_b
