#!/bin/bash
# While the server hangs, a call can be interrupted, cached names answer, and signals and unmounting end the program at once.
. "$(dirname "$0")/../support/case.sh"
start_aws
# hanging N: waits until N calls in all have come to hang at the gateway
hanging() {
    # shellcheck disable=SC2016 # expanded by the inner shell
    timeout 20 bash -c 'until "$0" fault -C "$1" list | grep -Eq "hits=$2( |$)"; do :; done' "$local_aws" "$work/aws" "$1" ||
        { fault list; DEPTH=1 fail "there are not $1 calls that hang"; }
}

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
status=0; timeout -s INT 1 mkdir mnt/hanging-two 2>/dev/null || status=$?
equal "status of the interrupted call" $status 124

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

# patience has an end
mount_b -o metadata_ttl=0.1,stall_timeout=1,max_attempts=1
fault add --method PUT hang >/dev/null
refused "timed out" mkdir mnt/too-slow
fault clear
unmount_b
