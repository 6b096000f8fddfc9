#!/bin/bash
# With memory_limit=64M, 16 files of 12 MiB are read and 16 written at once, right, and the daemon stays under the limit and 64 MiB.
. "$(dirname "$0")/../support/case.sh"
case $XACCTFS${XACCTFS_WRAP:-} in
*san/* | *valgrind*) skip "a sanitizer needs memory of its own" ;;
esac
start_aws
mount_b -o metadata_ttl=60,memory_limit=64M
mkdir mnt/memory-bucket made
for n in {1..16}; do head -c 12582912 /dev/urandom >"made/$n"; done
put_files made memory-bucket/read/
pids=()
for n in {1..16}; do
    cmp "mnt/memory-bucket/read/$n" "made/$n" &
    pids+=($!)
    cp "made/$n" "mnt/memory-bucket/$n" &
    pids+=($!)
done
wait_all "${pids[@]}"
most=$(awk '$1 == "VmHWM:" { print $2 }' "/proc/$daemon_pid/status")
at_most "the daemon's most memory in kB" "$most" $((128 * 1024))
for n in {1..16}; do other "memory-bucket/$n" | cmp - "made/$n"; done

# patches stage in files: memory stays
for n in {1..16}; do
    printf 'patch' | dd "of=mnt/memory-bucket/$n" bs=1 seek=6000000 conv=notrunc status=none &
    pids+=($!)
done
wait_all "${pids[@]:32}"
printf 'patch' | dd of=made/16 bs=1 seek=6000000 conv=notrunc status=none
other memory-bucket/16 | cmp - made/16
most=$(awk '$1 == "VmHWM:" { print $2 }' "/proc/$daemon_pid/status")
at_most "the daemon's most memory in kB" "$most" $((128 * 1024))
echo "figure: the most memory of the daemon: $((most / 1024)) MiB with memory_limit=64M"
unmount_b
