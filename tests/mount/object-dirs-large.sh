#!/bin/bash
# A directory of 2,500 objects (at night 200,000): a LIST for 1,000 and nothing else, the first page before the others, any
# order of seeks, memory within its limit, and rm -r.
. "$(dirname "$0")/../support/case.sh"
entries=$(whole 2500 200000)
pages=$(((entries + 999 + 1) / 1000))
start_aws
mount_b -o metadata_ttl=3600
mkdir mnt/large-bucket
begun=$EPOCHREALTIME
put_many "$entries" large-bucket/many/n-
put_many 3 large-bucket/many/m/
echo "figure: $entries objects made by curl: $(elapsed_ms "$begun") ms"

# looks COMMAND...: its output is in ./looked; it asked for the pages and nothing else
looks() {
    local begun
    mark
    begun=$EPOCHREALTIME
    "$@" >looked
    echo "figure: $*: $(elapsed_ms "$begun") ms"
    equal "LIST of the directory by $*" "$(requests GET 'prefix=many(%2F|/)&')" "$pages"
    equal "HEAD by $*" "$(requests HEAD)" 0
    at_most "requests by $*" "$(requests)" $((pages + 2))
}
# it looks at the files when it has read 100,000 names
looks find mnt/large-bucket/many -maxdepth 1 -type f -size -2
equal "find" "$(wc -l <looked)" "$entries"
looks ls -l mnt/large-bucket/many
equal "lines" "$(grep -c ' n-' looked)" "$entries"
looks ls -f mnt/large-bucket/many
equal "names" "$(grep -c '^n-' looked)" "$entries"
equal "find" "$(find mnt/large-bucket -type f | wc -l)" $((entries + 3))

# the first page does not wait for the second
fault add --path '[?&]continuation-token=' hang >/dev/null
python <<'EOF'
from case import *
with os.scandir("mnt/large-bucket/many") as entries:
    assert next(entries).name == "m"
    assert next(entries).name == "n-000001"
EOF
fault clear

python "$entries" <<'EOF'
from case import *
import ctypes, random, sys
entries = int(sys.argv[1])
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
assert names[:-1] == [".", "..", "m"] + [f"n-{n:06}" for n in range(1, entries + 1)], len(names)
for i in random.sample(range(len(all)), 30) + [0, len(all) - 1, 1002, 1003, 1004]:
    libc.seekdir(d, all[i][0])
    assert [read(d) for _ in names[i:i + 3]] == names[i:i + 3], (i, all[i])
open("mnt/large-bucket/many/new", "w").close()
os.unlink("mnt/large-bucket/many/n-000001")
libc.rewinddir(d)
assert [name for _, name in read_all(d)] == [".", "..", "m"] + names[4:-1] + ["new", None]
assert sorted(os.listdir("mnt/large-bucket/many")) == sorted(names[2:3] + names[4:-1] + ["new"])
EOF

begun=$EPOCHREALTIME
mark
rm -r mnt/large-bucket/many
echo "figure: rm -r: $(elapsed_ms "$begun") ms"
equal "DELETE" "$(requests DELETE)" $((entries + 3))
at_most "requests by rm -r" "$(requests)" $((entries + pages + 10))
equal "ls" "$(ls mnt/large-bucket)" ''
equal "keys" "$(other 'large-bucket?list-type=2' | grep -c '<Key>' || :)" 0
within_memory 256
unmount_b
