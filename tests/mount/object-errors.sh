#!/bin/bash
# What fails at S3 fails at write, fsync or close with its errno and one log line; the old object stays, and fsync may try again.
. "$(dirname "$0")/../support/case.sh"
start_aws
make_files made 3000000 20971520
mount_b -o metadata_ttl=3600,max_attempts=3
mkdir mnt/error-bucket
echo old >mnt/error-bucket/file
echo 'new and longer' >new # to be copied: a shell does not hear of its redirection's end
cp made/20971520 mnt/error-bucket/large

# what is written: CODE, its errno
while read -r status code words; do
    fault add --method PUT --path '^/error-bucket/file' status "$status" "$code" >/dev/null
    refused "$words" cp new mnt/error-bucket/file
    refused "$words" cp made/3000000 mnt/error-bucket/file
    fault clear
    equal "the old object" "$(other error-bucket/file)" old
    equal "the old file" "$(cat mnt/error-bucket/file)" old
    has "$daemon_log" "PutObject of error-bucket/file: $code.*request id"
done <<'EOF'
403 AccessDenied Permission denied
400 EntityTooLarge File too large
403 QuotaExceeded Disk quota exceeded
503 SlowDown Resource temporarily unavailable
500 InternalError Input/output error
EOF
# what is read
while read -r status code words; do
    drop_pages mnt/error-bucket/file
    fault add --method GET --path '^/error-bucket/file' status "$status" "$code" >/dev/null
    refused "$words" cat mnt/error-bucket/file
    fault clear
    equal "the file afterwards" "$(cat mnt/error-bucket/file)" old
done <<'EOF'
403 AccessDenied Permission denied
403 InvalidObjectState Permission denied
412 PreconditionFailed Stale file handle
503 SlowDown Resource temporarily unavailable
EOF
has "$daemon_log" 'InvalidObjectState.*[Rr]estore'
fault add --method GET --path 'list-type=2' status 403 AccessDenied >/dev/null
refused "Permission denied" ls mnt/error-bucket
refused "Permission denied" stat mnt/error-bucket/unknown
fault clear
fault add --method DELETE status 403 AccessDenied >/dev/null
refused "Permission denied" rm mnt/error-bucket/file
fault clear
equal "what could not be removed" "$(cat mnt/error-bucket/file)" old

# what passes is not seen
while read -r method count kind; do
    drop_pages mnt/error-bucket/large
    # shellcheck disable=SC2086
    fault add --method "$method" --path '^/error-bucket/(large|passing)' --count "$count" $kind >/dev/null
    cp made/3000000 mnt/error-bucket/passing
    cmp mnt/error-bucket/large made/20971520
    other error-bucket/passing | cmp - made/3000000
    rm mnt/error-bucket/passing
    equal "faults that were not met" "$(fault list)" ""
done <<'EOF'
PUT 2 status 503 SlowDown
PUT 2 status 500 InternalError
PUT 2 cut
PUT 1 delay 200
PUT 1 expired-token
GET 2 status 503 SlowDown
GET 2 status 500 InternalError
GET 2 cut
GET 1 expired-token
DELETE 2 status 503 SlowDown
EOF
# a body that is cut goes on where it stopped
drop_pages mnt/error-bucket/large
mark
fault add --method GET --path '^/error-bucket/large' --count 2 cut-body 700000 >/dev/null
cmp mnt/error-bucket/large made/20971520
at_most "bytes of 20 MiB with two cuts" "$(bytes out GET '^/error-bucket/large$')" $((20971520 * 105 / 100))
fault clear

# a part, or the end, of an upload is refused: nothing is left of it
for what in "PUT partNumber=2" "POST uploadId=" "POST \?uploads"; do
    read -r method path <<<"$what"
    fault add --method "$method" --path "$path" status 403 AccessDenied >/dev/null
    refused "Permission denied" cp made/20971520 mnt/error-bucket/file
    fault clear
    equal "the old object" "$(other error-bucket/file)" old
    await '[ "$(uploads error-bucket)" = 0 ]' # the abort comes behind the close
done
fault add --method PUT --path 'partNumber=' status 403 AccessDenied >/dev/null
refused "Permission denied" dd if=made/3000000 of=mnt/error-bucket/large bs=1M seek=9 conv=notrunc status=none
fault clear
other error-bucket/large | cmp - made/20971520
await '[ "$(uploads error-bucket)" = 0 ]' # the abort comes behind the close

# a failed fsync leaves the file dirty, and the second one saves it
python <<'EOF'
from case import *
data = open("made/20971520", "rb").read()
for path, at, text in (("mnt/error-bucket/file", 0, b"newer"), ("mnt/error-bucket/fresh", 0, data), ("mnt/error-bucket/large", 9000000, b"patch")):
    fd = os.open(path, os.O_RDWR | os.O_CREAT)
    write_all(fd, text) if at == 0 else os.pwrite(fd, text, at)
    for _ in range(2):
        sh("fault add --method PUT status 403 AccessDenied")
        refused(errno.EACCES, os.fsync, fd)
        sh("fault clear")
    got = os.pread(fd, len(text), at)
    assert got == text, (path, len(got))
    os.fsync(fd)
    assert sh('other "$1"', path[4:])[at:at + len(text)] == text
    os.close(fd)
assert sh("other error-bucket/file") == b"newer"

# a failed close that was looked at before: then there is the old file again, to all who look
for path, flags in (("mnt/error-bucket/file", os.O_TRUNC), ("mnt/error-bucket/unborn", os.O_CREAT)):
    fd = os.open(path, os.O_WRONLY | flags)
    write_all(fd, data[:300000])
    assert os.fstat(fd).st_size == os.stat(path).st_size == 300000
    sh("fault add --method PUT status 403 AccessDenied")
    refused(errno.EACCES, os.close, fd)
    sh("fault clear")
assert os.stat("mnt/error-bucket/file").st_size == 5 and open("mnt/error-bucket/file", "rb").read() == b"newer"
refused(errno.ENOENT, os.stat, "mnt/error-bucket/unborn")
assert sorted(os.listdir("mnt/error-bucket")) == ["file", "fresh", "large"]
assert sh("other error-bucket/large") == data[:9000000] + b"patch" + data[9000005:]
EOF
await '[ "$(uploads error-bucket)" = 0 ]' # the abort comes behind the close
unmount_b
