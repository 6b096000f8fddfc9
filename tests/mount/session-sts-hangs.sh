#!/bin/bash
# While STS hangs beyond the session's end, calls wait and can be interrupted, fail when it takes too long, and SIGTERM ends the daemon at once.
. "$(dirname "$0")/../support/case.sh"
start_aws
mount_b -o duration_seconds=2,metadata_ttl=0

# until the session has ended, and an attempt to renew it hangs
hang() {
    fault add --action AssumeRole hang >/dev/null
    await 'grep -qx "state = ended" mnt/.xacctfs/session'
    hanging 1
}
# outcomes: how many attempts have come to an end, unheard
outcomes() { grep -cE 'session has ended and is not renewed: .*timed out' "$daemon_log" || :; }
# interrupted_ls: a waiting ls gets a Ctrl-C and ends, before the attempt does
interrupted_ls() {
    local before status=0
    before=$(outcomes)
    env --default-signal=INT ls mnt >ls.out 2>&1 & # bash lets its background jobs ignore INT
    await "grep -qs request_wait_answer /proc/$!/stack || ! kill -0 $!"
    kill -INT $! 2>/dev/null || :
    wait $! || status=$?
    [ $status = 130 ] && [ "$(outcomes)" = "$before" ]
}

hang
# where an attempt happened to end meanwhile, that says nothing
await interrupted_ls
fault clear
ls mnt

hang
refused 'Key has expired' timeout "$patience" ls mnt
await_log 'session has ended and is not renewed: .*timed out.*EKEYEXPIRED.*Check the network'

# at once: not when the attempt that hangs has had its time
fault clear
ls mnt
hang
before=$(outcomes)
kill -TERM "$daemon_pid"
ended_b 0
equal "attempts that came to an end" "$(outcomes)" "$before"
if mountpoint -q mnt; then fail "still mounted"; fi
