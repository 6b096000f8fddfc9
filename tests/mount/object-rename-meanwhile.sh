#!/bin/bash
# What is removed, made or moved below a directory while that is renamed waits for the rename, and stays done; a signal ends the wait.
. "$(dirname "$0")/../support/case.sh"
start_aws
mount_b -o metadata_ttl=60
mkdir -p mnt/one-bucket/from/{1,2/empty,3,4,5,6,7} mnt/two-bucket
for name in 1/gone 4/moved 5/interrupted 6/last; do echo "$name" >"mnt/one-bucket/from/$name"; done

# begun PID: its call has found the directory by the old name, and waits
begun() { await "grep -E 'vfs_(unlink|rmdir|mkdir|rename)|fuse_atomic_open' /proc/$1/stack"; }
# meanwhile COMMAND...: begins in the background
meanwhile() {
    "$@" &
    pids+=($!)
    begun $!
}
fault add --method PUT --path '^/one-bucket/to/6/last' hang >/dev/null
mv -T mnt/one-bucket/from mnt/one-bucket/to &
pids=($!)
hanging 1
rm mnt/one-bucket/from/5/interrupted 2>rm.err &
interrupted=$!
begun $interrupted
kill $interrupted
if wait $interrupted; then fail "rm was not interrupted"; fi
meanwhile rm mnt/one-bucket/from/1/gone
meanwhile rmdir mnt/one-bucket/from/2/empty
meanwhile mkdir mnt/one-bucket/from/3/made
meanwhile cp "$0" mnt/one-bucket/from/7/copied
meanwhile mv mnt/one-bucket/from/4/moved mnt/two-bucket/moved
equal "what is read meanwhile" "$(cat mnt/one-bucket/from/6/last)" 6/last
fault clear
wait_all "${pids[@]}" || fail "one of them failed"

equal "the keys" "$(other 'one-bucket?list-type=2' | grep -o '<Key>[^<]*' | cut -c6-)" \
    $'to/\nto/1/\nto/2/\nto/3/\nto/3/made/\nto/4/\nto/5/\nto/5/interrupted\nto/6/\nto/6/last\nto/7/\nto/7/copied'
equal "what was moved out" "$(cat mnt/two-bucket/moved)" 4/moved
cmp "$0" mnt/one-bucket/to/7/copied
equal "the directory" "$(cd mnt/one-bucket/to && echo * */*)" '1 2 3 4 5 6 7 3/made 5/interrupted 6/last 7/copied'
refused "No such file" stat mnt/one-bucket/from
unmount_b
