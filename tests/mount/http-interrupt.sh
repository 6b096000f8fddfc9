#!/bin/bash
# A call that waits for the server ends when its process is interrupted, and takes no other caller with it.
. "$(dirname "$0")/../support/case.sh"
start_aws
# without an interruption it would wait longer than the case may take
mount_b -o metadata_ttl=0,request_timeout=3600,stall_timeout=3600
mkdir mnt/some-bucket

# in_fuse PID: until that process waits for an answer of the file system
in_fuse() { DEPTH=1 await "grep -qs request_wait_answer /proc/$1/stack"; }
# ends PID STATUS
ends() {
    local status=0
    DEPTH=1 ended "$1"
    wait "$1" || status=$?
    DEPTH=1 equal "status of ls" $status "$2"
}

for signal in INT TERM KILL; do
    fault add --method GET hang >/dev/null
    env --default-signal=INT ls mnt >out 2>&1 & # bash lets its background jobs ignore INT
    call=$!
    hanging 1
    (cd mnt && timeout "$patience" stat . >/dev/null && timeout "$patience" stat -f . >/dev/null) # what needs no request goes on
    kill -$signal $call
    ends $call $((128 + $(kill -l $signal)))
    fault clear
    equal "ls afterwards" "$(ls mnt)" some-bucket
done

# the one that asks is interrupted: the one that waits for the same answer asks itself
fault add --method GET hang >/dev/null
ls mnt >asking 2>&1 &
asking=$!
hanging 1
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
hanging 1
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
hanging 1
kill -KILL $asking
ends $asking 137
unmount_b
lacks "$daemon_log" ' (error|warn): '
