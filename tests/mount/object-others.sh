#!/bin/bash
# What another client changes is seen within the TTL; bytes are of one object, never a mix; nobody's object is overwritten unseen.
. "$(dirname "$0")/../support/case.sh"
start_aws
mount_b -o metadata_ttl=1
mkdir mnt/others-bucket
echo one >one
echo 'second one' >second
ls mnt/others-bucket
refused "No such file" stat mnt/others-bucket/file
other -T one others-bucket/file
pass_ttl
[ -f mnt/others-bucket/file ]
equal "its bytes" "$(cat mnt/others-bucket/file)" one
other -T second others-bucket/file
pass_ttl
equal "its bytes" "$(cat mnt/others-bucket/file)" "second one"
equal "its size" "$(stat -c %s mnt/others-bucket/file)" 11
other -T one others-bucket/dir/in/file
pass_ttl
[ -d mnt/others-bucket/dir/in ]
equal "its bytes" "$(cat mnt/others-bucket/dir/in/file)" one
other -X DELETE others-bucket/dir/in/file
pass_ttl
refused "No such file" stat mnt/others-bucket/dir
other -X DELETE others-bucket/file
pass_ttl
refused "No such file" stat mnt/others-bucket/file
equal "ls" "$(ls mnt/others-bucket)" ""
# a file becomes a directory, and a file again
other -T one others-bucket/both
pass_ttl
[ -f mnt/others-bucket/both ]
other -T one others-bucket/both/inside
pass_ttl
[ -d mnt/others-bucket/both ]
other -X DELETE others-bucket/both/inside
pass_ttl
[ -f mnt/others-bucket/both ]
unmount_b

# after O_DIRECT on the directory, and after its fsync, the next look asks again, whatever the TTL
mount_b -o metadata_ttl=300
refused "No such file" stat mnt/others-bucket/file
refused "No such file" stat mnt/others-bucket/later
other -T one others-bucket/file
other -T one others-bucket/later
dd if=mnt/others-bucket iflag=direct count=0 status=none 2>/dev/null || : # Linux says EINVAL, but has told the file system by then
equal "their bytes" "$(cat mnt/others-bucket/{file,later} | xargs)" "one one"
other -X DELETE others-bucket/later
stat mnt/others-bucket/later >/dev/null
sync mnt/others-bucket
refused "No such file" stat mnt/others-bucket/later
echo something longer >longer
# whatever it is: new, another, gone, a directory that was a file, and the other way round
other -T one 'others-bucket/fresh/{another,gone,dir/x,to-dir}'
other -T one others-bucket/fresh/to-file/x
python <<'EOF'
from case import *
work = os.getcwd()
dir = os.open("mnt/others-bucket/fresh", os.O_DIRECTORY)
for round in range(10):
    os.fchdir(dir)
    names = "another", "gone", "dir", "to-dir", "to-file"
    assert [os.path.isdir(name) for name in names] == [False, False, True, False, True]
    assert not os.path.exists("new")
    size = os.stat("another").st_size
    os.chdir(work)
    sh("other -T longer others-bucket/fresh/another")
    sh("other -T one others-bucket/fresh/new")
    sh("other -X DELETE 'others-bucket/fresh/{gone,dir/x,to-dir,to-file/x}'")
    sh("other -T one 'others-bucket/fresh/{to-dir/x,to-file}'")
    os.fchdir(dir)
    os.fsync(dir)
    assert os.stat("new").st_size == 4
    assert os.stat("another").st_size != size
    refused(errno.ENOENT, os.stat, "gone")
    refused(errno.ENOENT, os.stat, "dir")
    refused(errno.ENOENT, os.open, "gone", os.O_RDONLY)
    assert os.path.isdir("to-dir") and os.path.isfile("to-file")
    os.chdir(work)
    sh("other -T one 'others-bucket/fresh/{another,gone,dir/x,to-file/x}'")
    sh("other -X DELETE 'others-bucket/fresh/{new,to-dir/x,to-file}'")
    sh("other -T one others-bucket/fresh/to-dir")
    os.fsync(dir)
EOF
unmount_b

# an object that is unchanged keeps its pages beyond the TTL
mount_b -o metadata_ttl=0.2
make_files made 20971520
cp made/20971520 old
make_files made 20971520
other -T old others-bucket/large
cmp old mnt/others-bucket/large
mark
sleep 0.3
cmp old mnt/others-bucket/large
at_least "LIST" "$(requests GET 'list-type=2')" 1
at_most "bytes of GET" "$(bytes out GET '^/others-bucket/large$')" $((8 << 20)) # the kernel may have let go of single pages

python <<'EOF'
from case import *
import mmap, signal
os.chdir("mnt/others-bucket")
PATHS = {b"old": "../../old", b"new": "../../made/20971520"}
old, new = (open(path, "rb").read() for path in PATHS.values())

def put(key, which):
    sh('other -T "$2" "others-bucket/$1"', key, PATHS[which])

def drop(fd):
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)

def look_again():
    try:
        os.close(os.open(".", os.O_DIRECT))
    except OSError as e:
        assert e.errno == errno.EINVAL, e

def is_stale(fd, offset):
    """Or what comes is of the old one, up to where the rest is stale."""
    try:
        got = os.pread(fd, 1 << 20, offset)
    except OSError as e:
        assert e.errno == errno.ESTALE, e
        return True
    assert got and old[offset:offset + (1 << 20)].startswith(got), (len(got), offset)
    return False

# replaced underneath, by one of the same size: what comes is old or ESTALE
stale = 0
for start in (0, 1 << 20, 9 << 20):
    put("replaced", b"old")
    look_again()
    fd = os.open("replaced", os.O_RDONLY)
    assert os.pread(fd, 100000, start) == old[start:start + 100000]
    put("replaced", b"new")
    for offset in range(0, len(old), 1 << 20):
        stale += is_stale(fd, offset)
    os.close(fd)
    look_again()
    with open("replaced", "rb") as f:
        assert f.read() == new
assert stale > 0, "all 20 MiB had been fetched before"

# who has it open from before gets no byte of what another one reads of the new one
put("torn", b"old")
look_again()
fd = os.open("torn", os.O_RDWR)
assert os.pread(fd, 100000, 0) == old[:100000]
mapped = mmap.mmap(fd, 0)
assert mapped[:100000] == old[:100000]
put("torn", b"new")
look_again()
with open("torn", "rb") as f:
    assert f.read() == new
    for offset in range(0, len(old), 1 << 20):
        is_stale(fd, offset)
    for offset in range(0, 100000, 4096):
        child = os.fork()
        if child == 0:
            os._exit(mapped[offset] != old[offset])
        # what is not at hand is SIGBUS
        assert os.waitpid(child, 0)[1] in (0, signal.SIGBUS), offset
    # nor does it write into it
    refused(errno.ESTALE, os.pwrite, fd, b"patch", 0)
    refused(errno.ESTALE, os.ftruncate, fd, 0)
    f.seek(0)
    assert f.read() == new
mapped.close()
os.close(fd)
assert sh("other others-bucket/torn") == new

# changed in part here, replaced there meanwhile: the close says so, and theirs stays
put("met", b"old")
look_again()
fd = os.open("met", os.O_RDWR)
os.pwrite(fd, b"patch", 10000000)
put("met", b"new")
refused(errno.ESTALE, os.close, fd)
assert sh("other others-bucket/met") == new

# made here exclusively, and there meanwhile
fd = os.open("excl", os.O_WRONLY | os.O_CREAT | os.O_EXCL)
os.write(fd, b"mine")
put("excl", b"new")
refused(errno.EEXIST, os.close, fd)
assert sh("other others-bucket/excl") == new

# removed underneath
put("removed", b"old")
look_again()
fd = os.open("removed", os.O_RDONLY)
assert os.pread(fd, 1000, 0) == old[:1000]
sh("other -X DELETE others-bucket/removed")
for offset in range(0, len(old), 1 << 20):
    is_stale(fd, offset)
os.close(fd)
EOF
unmount_b
