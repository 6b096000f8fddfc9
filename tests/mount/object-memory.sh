#!/bin/bash
# Files of 12 MiB are read and as many written at once, right (16 and 16; at night 64 and 64, while a directory of 200,000
# objects is listed), and the daemon stays under memory_limit and 64 MiB.
. "$(dirname "$0")/../support/case.sh"
case $XACCTFS${XACCTFS_WRAP:-} in
*san/* | *valgrind*) skip "a sanitizer needs memory of its own" ;;
esac
files=$(whole 16 64) entries=$(whole 0 200000)
start_aws
make_bucket memory-bucket
mkdir made
for ((n = 1; n <= files; n++)); do head -c 12582912 /dev/urandom >"made/$n"; done
put_files made memory-bucket/read/
[ "$entries" = 0 ] || put_many "$entries" memory-bucket/many/n-

# patched FILE...: five bytes in the middle are others, in all at once
patched() {
    local n pids=()
    for n; do
        printf 'patch' | dd "of=$n" bs=1 seek=6000000 conv=notrunc status=none &
        pids+=($!)
    done
    wait_all "${pids[@]}"
}

# at_once MEMORY-LIMIT-IN-MIB
at_once() {
    local n pids=() bucket=mnt/memory-bucket
    mount_b -o "metadata_ttl=600,memory_limit=$1M"
    for ((n = 1; n <= files; n++)); do
        cmp "$bucket/read/$n" "made/$n" &
        pids+=($!)
        cp "made/$n" "$bucket/$n" &
        pids+=($!)
    done
    if [ "$entries" != 0 ]; then
        # shellcheck disable=SC2012 # it is ls that is tried
        ls -l "$bucket/many" | wc -l >listed &
        pids+=($!)
    fi
    wait_all "${pids[@]}"
    [ "$entries" = 0 ] || equal "lines of ls -l" "$(cat listed)" $((entries + 1))
    within_memory "$1"
    for ((n = 1; n <= files; n++)); do other "memory-bucket/$n" | cmp - "made/$n"; done

    # patches stage in files: memory stays
    patched mnt/memory-bucket/{1..16}
    cp made/16 patched.16
    patched patched.16
    other memory-bucket/16 | cmp - patched.16
    within_memory "$1"
    unmount_b
}

at_once 64
[ "$files" = 16 ] || at_once 256
