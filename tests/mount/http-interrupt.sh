#!/bin/bash
# A call that waits for the server ends at once when its process is interrupted, and takes no other caller with it.
. "$(dirname "$0")/../support/case.sh"
start_aws
mount_b -o metadata_ttl=0
mkdir mnt/some-bucket

hangs() { timeout 20 bash -c 'until "$0" fault -C "$1" list | grep -q "hits=1 "; do :; done' "$local_aws" "$work/aws" || fail "no call reached the server"; }
# in_fuse PID: until that process waits for an answer of the file system
in_fuse() { timeout 20 bash -c 'until grep -qs request_wait_answer "/proc/$0/stack"; do :; done' "$1" || fail "process $1 does not wait"; }
ms() { echo $((${EPOCHREALTIME/./} / 1000)); }
# ends PID STATUS: within a second
ends() {
    local began status=0
    began=$(ms)
    wait "$1" || status=$?
    at_most "ms to the end" $(($(ms) - began)) $((1000 * slow))
    equal "status of ls" $status "$2"
}

for signal in INT TERM KILL; do
    fault add --method GET hang >/dev/null
    env --default-signal=INT ls mnt >out 2>&1 & # bash lets its background jobs ignore INT
    call=$!
    hangs
    (cd mnt && timeout 5 stat . >/dev/null && timeout 5 stat -f . >/dev/null) # what needs no request goes on
    kill -$signal $call
    ends $call $((128 + $(kill -l $signal)))
    fault clear
    equal "ls afterwards" "$(timeout 10 ls mnt)" some-bucket
done

# the one that asks is interrupted: the one that waits for the same answer asks itself
fault add --method GET hang >/dev/null
ls mnt >asking 2>&1 &
asking=$!
hangs
ls mnt >waiting 2>&1 &
waiting=$!
in_fuse $waiting
kill -KILL $asking
ends $asking 137
fault clear
ends $waiting 0
equal "ls of the other" "$(cat waiting)" some-bucket

# the one that waits is interrupted: the one that asks goes on
fault add --method GET hang >/dev/null
ls mnt >asking 2>&1 &
asking=$!
hangs
ls mnt >waiting 2>&1 &
waiting=$!
in_fuse $waiting
kill -KILL $waiting
ends $waiting 137
fault clear
ends $asking 0
equal "ls of the first" "$(cat asking)" some-bucket

# nothing is left of a killed one that would hold the mount
fault add --method GET hang >/dev/null
ls mnt >asking 2>&1 &
asking=$!
hangs
kill -KILL $asking
ends $asking 137
unmount_b
lacks "$daemon_log" ' (error|warn): '
