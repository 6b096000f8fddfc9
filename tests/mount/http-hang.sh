#!/bin/bash
# While the server hangs, a call can be interrupted, cached names answer, and signals and unmounting end the program at once.
. "$(dirname "$0")/../support/case.sh"
start_aws
mount_b -o metadata_ttl=30
mkdir mnt/cached-bucket
ls mnt >/dev/null

# an interrupted call ends; what is cached answers meanwhile (not ls: the kernel locks the directory that a name is made in)
fault add --method PUT hang >/dev/null
mkdir mnt/hanging-one 2>/dev/null &
call=$!
hanging 1
stat mnt/cached-bucket >/dev/null
kill -KILL $call
wait $call && fail "the killed call succeeded"
env --default-signal=INT mkdir mnt/hanging-two 2>/dev/null & # bash lets its background jobs ignore INT
call=$!
hanging 2
kill -INT $call
status=0; wait $call || status=$?
equal "status of the interrupted call" $status 130

# SIGTERM and SIGINT end it although calls hang
hits=2
for signal in TERM INT; do
    mkdir "mnt/hanging-${signal,,}" 2>/dev/null &
    call=$!
    hanging $((++hits))
    kill -$signal "$daemon_pid"
    ended_b 0
    wait $call && fail "the call succeeded"
    ! mountpoint -q mnt || fail "it is still mounted after SIG$signal"
    mount_b -o metadata_ttl=30
done

# unmounting lazily while a call hangs
mkdir mnt/hanging-four 2>/dev/null &
call=$!
hanging 5
fusermount3 -uz mnt
kill -KILL $call
wait $call && fail "the call succeeded"
ended_b 0
fault clear

# the start itself, at STS and at S3
for action in "--action AssumeRole" "--method GET"; do
    # shellcheck disable=SC2086
    fault add $action hang >/dev/null
    "${program[@]}" -f accountB "$work/mnt" >>start.log 2>&1 &
    start=$!
    hanging 1
    kill -TERM $start
    status=0; wait $start || status=$?
    equal "exit status of an interrupted start" $status 1
    fault clear
done
has start.log interrupted
