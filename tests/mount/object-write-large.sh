#!/bin/bash
# A large file (at night 2 GiB) is written by cp, read back cold, patched in the middle, renamed and read again, all within
# memory_limit and 64 MiB.
. "$(dirname "$0")/../support/case.sh"
size=$(whole 40 2048)
start_aws
mount_b -o metadata_ttl=3600,memory_limit=64M
mkdir mnt/large-bucket
head -c "${size}M" /dev/urandom >made

cp made mnt/large-bucket/written
equal "uploads left behind" "$(uploads large-bucket)" 0
drop_pages mnt/large-bucket/written
cmp mnt/large-bucket/written made

mark
for file in mnt/large-bucket/written made; do
    printf 'patch' | dd "of=$file" bs=1 seek=$((size << 19)) conv=notrunc status=none
done
at_most "bytes sent for a patch" "$(bytes in PUT '^/large-bucket/')" $((9 << 20))
mv mnt/large-bucket/written mnt/large-bucket/renamed
equal "ls" "$(ls mnt/large-bucket)" renamed
drop_pages mnt/large-bucket/renamed
cmp mnt/large-bucket/renamed made
other large-bucket/renamed | cmp - made
equal "uploads left behind" "$(uploads large-bucket)" 0
within_memory 64
unmount_b
