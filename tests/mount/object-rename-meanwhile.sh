#!/bin/bash
# What is removed, made or moved below a directory while that is renamed waits for the rename, and stays done; a signal ends the wait.
. "$(dirname "$0")/../support/case.sh"
start_aws
mount_b -o metadata_ttl=60
mkdir -p mnt/one-bucket/from/{1,2/empty,3,4,5,6} mnt/two-bucket
for name in 1/gone 4/moved 5/interrupted 6/last; do echo "$name" >"mnt/one-bucket/from/$name"; done

# begun PID: the mount has its request, or it has ended
begun() { timeout 20 bash -c 'until ! [ -d "/proc/$0" ] || grep -qs request_wait "/proc/$0/stack"; do :; done' "$1" || fail "$1 does not come to the mount"; }
# meanwhile COMMAND...: begins in the background
meanwhile() {
    "$@" &
    pids+=($!)
    begun $!
}
fault add --method PUT --path '^/one-bucket/to/6/last' hang >/dev/null
mv -T mnt/one-bucket/from mnt/one-bucket/to &
pids=($!)
timeout 20 bash -c 'until "$0" fault -C "$1" list | grep -q "hits=1"; do :; done' "$local_aws" "$work/aws" || fail "no copy comes"
rm mnt/one-bucket/from/5/interrupted 2>rm.err &
interrupted=$!
begun $interrupted
kill $interrupted
if wait $interrupted; then fail "rm was not interrupted"; fi
meanwhile rm mnt/one-bucket/from/1/gone
meanwhile rmdir mnt/one-bucket/from/2/empty
meanwhile mkdir mnt/one-bucket/from/3/made
meanwhile mv mnt/one-bucket/from/4/moved mnt/two-bucket/moved
equal "what is read meanwhile" "$(cat mnt/one-bucket/from/6/last)" 6/last
fault clear
wait_all "${pids[@]}" || fail "one of them failed"

equal "the keys" "$(other 'one-bucket?list-type=2' | grep -o '<Key>[^<]*' | cut -c6-)" \
    $'to/\nto/1/\nto/2/\nto/3/\nto/3/made/\nto/4/\nto/5/\nto/5/interrupted\nto/6/\nto/6/last'
equal "what was moved out" "$(cat mnt/two-bucket/moved)" 4/moved
equal "the directory" "$(cd mnt/one-bucket/to && echo * */*)" '1 2 3 4 5 6 3/made 5/interrupted 6/last'
refused "No such file" stat mnt/one-bucket/from
unmount_b
