#!/bin/bash
# SOURCE:BUCKET/PREFIX mounts only that, without a look at the other buckets; a bucket that is not there is no mount.
. "$(dirname "$0")/../support/case.sh"
start_aws
mkdir mnt
make_bucket photos
other -o put.out -X PUT -H "content-type: text/plain" --data "" "photos/{2025/a,2026/b,2026/c/d}"
mark
"${program[@]}" accountB:photos "$work/mnt"
has /proc/mounts "^accountB:photos $work/mnt fuse.xacctfs "
equal "the bucket" "$(ls mnt)" $'2025\n2026'
umount mnt
"${program[@]}" accountB:photos/2026 "$work/mnt"
has /proc/mounts "^accountB:photos/2026 $work/mnt fuse.xacctfs "
equal "below the prefix" "$(ls mnt)" $'b\nc'
equal "deeper" "$(ls mnt/c)" d
umount mnt
equal "requests for all buckets" "$(requests GET '^/(\?|$)')" 0

status=0; "${program[@]}" accountB:no-such-bucket "$work/mnt" >out 2>&1 || status=$?
equal "status" $status 1
has out 'the bucket no-such-bucket cannot be listed: No such file'
! mountpoint -q mnt || fail "mounted"
status=0; "${program[@]}" accountB:/photos "$work/mnt" >out 2>&1 || status=$?
equal "status" $status 2
equal "lines" "$(wc -l <out)" 1
